/**
 * A program, `npm run soak [-- --faults 2000 --frames 1000000 --page-faults 200 --only WORD]`: the long runs of what
 * `npm test` does in short, and all broken builds; or only the parts with that word in their name. Ends with code 1 if
 * anything does not hold. `SEED=…` repeats a run.
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
const say = (line: string): void => void process.stdout.write(`${line}\n`);
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
    const args = ["--stage", "direct", "--sources", broken.directory];
    const { code, text } = await runProgram("test/soak/soak.ts", args, { env: { ...env, PATIENCE: "0.4" } });
    const found = text.split("\n").find((line) => line.startsWith("VIOLATION"));
    if (code === 0 || !found) missed++;
    say(`${found ? "found" : "MISSED"}: ${name}\n  ${found ?? text}`);
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

say(`SEED=${SEED}`);
for (const [name, run] of Object.entries(parts)) {
  if (!name.includes(values.only)) continue;
  say(`\n${name}`);
  const started = performance.now();
  const holds = await run();
  say(
    `${name}: ${holds ? "holds" : "VIOLATED"} after ${Math.round((performance.now() - started) / 1_000)} s`,
  );
  if (!holds) process.exitCode = 1;
}
