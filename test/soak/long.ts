/**
 * `npm run soak [-- --faults 2000 --frames 1000000 --page-faults 200 --only WORD]` runs the soak and the fuzzer of
 * `npm test` for longer, and all broken builds. `--only` selects the parts whose name contains the word. Exits with code 1
 * after a violation or an undetected broken build. `SEED=…` repeats a run.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BrokenBuild } from "../support/broken-build.ts";
import { runProgram } from "../support/program.ts";
import { SEED } from "../support/seed.ts";
import { QUICK, SLOW } from "./breakages.ts";

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "2000" },
    frames: { type: "string", default: "1000000" },
    "page-faults": { type: "string", default: "200" },
    only: { type: "string", default: "" },
  },
});

const env = { SEED: String(SEED) };
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const echo = { env, onText: (text: string): void => void process.stdout.write(text) };

const fuzz =
  (...args: string[]) =>
  async () =>
    (await runProgram("test/fuzz/fuzz.ts", args, echo)).code === 0;

async function soakPage(): Promise<boolean> {
  const cli = createRequire(import.meta.url).resolve("@playwright/test/cli");
  const config = join(import.meta.dirname, "../../e2e/playwright.config.ts");
  const child = spawn(process.execPath, [cli, "test", "--config", config, "--project", "soak", "--no-deps"], {
    stdio: "inherit",
    env: { ...process.env, ...env, SOAK_FAULTS: values["page-faults"] },
  });
  return (await new Promise((resolve) => child.once("close", resolve))) === 0;
}

async function soakBroken(): Promise<boolean> {
  let missed = 0;
  for (const [name, breakage] of Object.entries({ ...QUICK, ...SLOW })) {
    using broken = new BrokenBuild(breakage);
    const args = ["--setup", "direct", "--sources", broken.directory];
    const { code, text } = await runProgram("test/soak/soak.ts", args, {
      env: { ...env, TIMEOUT_FACTOR: "0.4" },
    });
    const found = text.split("\n").find((line) => line.startsWith("VIOLATION"));
    if (code === 0 || !found) missed++;
    print(`${found ? "found" : "MISSED"}: ${name}\n  ${found ?? text}`);
  }
  return missed === 0;
}

const parts: Readonly<Record<string, () => Promise<boolean>>> = {
  "fuzzed frames": fuzz("--frames", values.frames),
  "broken builds, fuzzed": fuzz("--broken"),
  "broken builds, soaked": soakBroken,
  "faults in Chromium": soakPage,
  "faults in Node": async () =>
    (await runProgram("test/soak/soak.ts", ["--faults", values.faults], echo)).code === 0,
};

print(`SEED=${SEED}`);
for (const [name, run] of Object.entries(parts)) {
  if (!name.includes(values.only)) continue;
  print(`\n${name}`);
  const started = performance.now();
  const holds = await run();
  print(
    `${name}: ${holds ? "holds" : "VIOLATED"} after ${Math.round((performance.now() - started) / 1_000)} s`,
  );
  if (!holds) process.exitCode = 1;
}
