import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "@playwright/test";
import { killGroup } from "../../src/node/process-group.ts";
import { runCommand } from "../support/command.ts";
import { Consumer } from "../support/consumer.ts";

const ROOT = join(import.meta.dirname, "../..");
const NAMES = readdirSync(join(ROOT, "examples")).filter((name) =>
  existsSync(join(ROOT, "examples", name, "package.json")),
);

test.describe("examples copied out of the repository", () => {
  test.describe.configure({ mode: "serial" });
  const copies = new Map<string, Consumer>();
  const copyOf = (name: string): Consumer => copies.get(name) as Consumer;

  test.beforeAll(async () => {
    test.setTimeout(300_000);
    for (const name of NAMES) copies.set(name, await Consumer.copyExample(name));
  });

  test("the programs print what they print in the repository", async () => {
    test.setTimeout(120_000);
    const config = join(ROOT, "e2e/vitest.config.ts");
    const command = ["npx", "vitest", "run", "--config", config, "examples.test", "remote-shell.test"];
    const env = { EXAMPLES_DIRECTORY: dirname(copyOf("mcp").directory) };
    const { stdout } = await runCommand(command, { cwd: ROOT, timeoutMs: 110_000, env });
    expect(stdout).toMatch(/\d+ passed, 0 failed\s*$/);
  });

  test("the web IDE builds, and serves its page", async ({ page }) => {
    const ide = copyOf("web-ide");
    const child = spawn("npm", ["start"], {
      cwd: ide.directory,
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      let url: string | undefined;
      for await (const line of createInterface(child.stdout)) {
        url = /http:\/\/[^ ]+(?=\.)/.exec(line)?.[0];
        if (url) break;
      }
      await page.goto(String(url));
      await expect(page.locator("#tree")).toContainText("README.md");
    } finally {
      const ended = once(child, "close");
      killGroup(child, "SIGTERM");
      await ended;
    }
  });

  test("the Electron app and the React page build", async () => {
    await copyOf("electron").run(["npm", "run", "build"]);
    expect(existsSync(join(copyOf("electron").directory, "dist/main.cjs"))).toBe(true);
    await copyOf("react").run(["npx", "vite", "build", "--logLevel", "warn"]);
    expect(existsSync(join(copyOf("react").directory, "dist/index.html"))).toBe(true);
  });
});
