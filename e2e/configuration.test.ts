import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCommand } from "./support/command.ts";

const ROOT = join(import.meta.dirname, "..");
const DIRECTORY = join(ROOT, ".tmp/without-browsers");

// knip evaluates the configurations, too.
it.each(["playwright.config.ts", "matrix.config.ts"])(
  "%s installs no browser when it is evaluated",
  async (name) => {
    rmSync(DIRECTORY, { recursive: true, force: true });
    mkdirSync(DIRECTORY, { recursive: true });
    const marker = join(DIRECTORY, "installed");
    const aptGet = join(DIRECTORY, "apt-get");
    writeFileSync(aptGet, `#!/bin/sh\n: > '${marker}'\n`);
    chmodSync(aptGet, 0o755);
    // Neither the PATH nor Playwright's folder has a browser. A download by Playwright would fail the command.
    const env = [
      "-u",
      "CHROMIUM_PATH",
      "-u",
      "FIREFOX_PATH",
      `PATH=${DIRECTORY}`,
      `PLAYWRIGHT_BROWSERS_PATH=${DIRECTORY}`,
    ];
    const program = `const { projects } = (await import("./e2e/${name}")).default; console.log(projects.length > 1);`;
    const node = [process.execPath, "--import", "tsx", "--input-type=module", "--eval", program];
    const { stdout } = await runCommand(["/usr/bin/env", ...env, ...node], { cwd: ROOT, timeoutMs: 30_000 });
    expect(stdout).toBe("true\n");
    expect(existsSync(marker)).toBe(false);
  },
);
