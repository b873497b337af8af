/**
 * A program: `fuzz.ts [--frames N] [--first N]` ends with code 1 at the first violation; `fuzz.ts --broken` does the same
 * to each of the broken builds, and ends with code 1 if one of them passes.
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
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function fuzzSound(): Promise<void> {
  const started = performance.now();
  let saidAt = started;
  const onProgress = ({ frames: sent, connections }: Result): void => {
    if (performance.now() - saidAt < PROGRESS_MS) return;
    saidAt = performance.now();
    say(`fuzz: ${sent} frames in ${connections} connections`);
  };
  const result = await fuzz(await loadSdk(), frames, { first: Number(values.first), onProgress });
  const seconds = (performance.now() - started) / 1_000;
  if (result.violation !== undefined) say(`VIOLATION: ${result.violation}`);
  const outcome = result.violation === undefined ? "no violation" : "1 violation";
  say(
    `fuzz: ${result.frames} frames in ${result.connections} connections, ${seconds.toFixed(1)} s, ${outcome} (SEED=${SEED})`,
  );
  process.exitCode = result.violation === undefined ? 0 : 1;
}

async function fuzzBroken(): Promise<void> {
  // What a broken build has left behind shall not end the next one's turn.
  process.on("unhandledRejection", () => {});
  for (const [name, breakage] of Object.entries(BREAKAGES)) {
    using broken = new BrokenBuild(breakage);
    const { frames: sent, violation } = await fuzz(await loadSdk(broken.directory), frames);
    say(`${violation === undefined ? "MISSED" : "found"} after ${sent} frames: ${name}`);
    if (violation === undefined) process.exitCode = 1;
    else say(`  ${violation.split("\n")[0]?.slice(0, 200)}`);
  }
}

say(`fuzz: SEED=${SEED}, ${frames} frames`);
await (values.broken ? fuzzBroken() : fuzzSound());
