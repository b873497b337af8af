/**
 * `fuzz.ts [--frames N] [--first N]` exits with code 1 at the first violation. `fuzz.ts --broken` fuzzes each broken build
 * and exits with code 1 if one of them has no violation.
 */
import { parseArgs } from "node:util";
import { BrokenBuild } from "../support/broken-build.ts";
import { loadSdk } from "../support/sdk.ts";
import { SEED } from "../support/seed.ts";
import { BREAKAGES } from "./breakages.ts";
import { fuzz, type Result } from "./campaign.ts";

const PROGRESS_MS = 3_000;

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "50000" },
    first: { type: "string", default: "0" },
    broken: { type: "boolean", default: false },
  },
});
const frames = Number(values.frames);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function fuzzSources(): Promise<void> {
  const started = performance.now();
  let printedAt = started;
  const onProgress = ({ frames: sent, connections }: Result): void => {
    if (performance.now() - printedAt < PROGRESS_MS) return;
    printedAt = performance.now();
    print(`fuzz: ${sent} frames in ${connections} connections`);
  };
  const result = await fuzz(await loadSdk(), frames, { first: Number(values.first), onProgress });
  const seconds = (performance.now() - started) / 1_000;
  if (result.violation !== undefined) print(`VIOLATION: ${result.violation}`);
  const outcome = result.violation === undefined ? "no violation" : "1 violation";
  print(
    `fuzz: ${result.frames} frames in ${result.connections} connections, ${seconds.toFixed(1)} s, ${outcome} (SEED=${SEED})`,
  );
  process.exitCode = result.violation === undefined ? 0 : 1;
}

async function fuzzBroken(): Promise<void> {
  // A late rejection of one broken build must not end the process.
  process.on("unhandledRejection", () => {});
  for (const [name, breakage] of Object.entries(BREAKAGES)) {
    using broken = new BrokenBuild(breakage);
    const { frames: sent, violation } = await fuzz(await loadSdk(broken.directory), frames);
    print(`${violation === undefined ? "MISSED" : "found"} after ${sent} frames: ${name}`);
    if (violation === undefined) process.exitCode = 1;
    else print(`  ${violation.split("\n")[0]?.slice(0, 200)}`);
  }
}

print(`fuzz: SEED=${SEED}, ${frames} frames`);
await (values.broken ? fuzzBroken() : fuzzSources());
