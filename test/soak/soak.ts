/**
 * A program: `soak.ts [--faults N] [--stage NAME] [--sources DIRECTORY]`. Clients on every kind of connection work, while everything
 * that can go wrong does, in random order. Ends with code 1 at the first violation.
 */
import { parseArgs } from "node:util";
import { Random } from "../support/random.ts";
import { loadNodeSdk, loadSdk } from "../support/sdk.ts";
import { SEED, seeded } from "../support/seed.ts";
import { Violation } from "../support/violation.ts";
import { directStage } from "./direct-stage.ts";
import { gatewayStage } from "./gateway-stage.ts";
import { startLoadOrigin } from "./origin.ts";
import { Heap, Residue } from "./residue.ts";
import { stdioStage } from "./stdio-stage.ts";
import { Trial } from "./trial.ts";

const PROGRESS_MS = 5_000;
/** Bytes that the heap may grow from round to round. */
const MAX_SLOPE = 64 * 1024;

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "30" },
    sources: { type: "string" },
    stage: { type: "string", default: "" },
  },
});
const wanted = Number(values.faults);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

let fail: (error: unknown) => void = () => {};
const failure = new Promise<never>((_, reject) => {
  fail = reject;
});
process.on("unhandledRejection", (error) => {
  fail(
    error instanceof Violation
      ? error
      : new Violation(`an unhandled rejection: ${(error as Error)?.stack ?? error}`),
  );
});
process.on("uncaughtException", (error) => {
  fail(error instanceof Violation ? error : new Violation(`an uncaught exception: ${error.stack}`));
});
process.on("warning", (warning) => fail(new Violation(`a warning: ${warning.stack}`)));

const started = performance.now();
const struck = new Map<string, number>();
const heap = new Heap();
let trials: Trial[] = [];
let heapUsed = 0;

const faults = (): number => [...struck.values()].reduce((sum, count) => sum + count, 0);

function status(): string {
  const sum = (of: (trial: Trial) => number): number => trials.reduce((total, trial) => total + of(trial), 0);
  const figures = [
    `${faults()} faults`,
    `${sum(({ load }) => load.counts.operations)} operations`,
    `${sum(({ load }) => load.counts.lost)} of them lost`,
    `${sum(({ load }) => load.counts.givenUp)} given up`,
    `${Math.round(sum(({ load }) => load.counts.bytes) / 2 ** 20)} MiB`,
    `${sum(({ books }) => books.sessions)} sessions`,
    `heap ${(heapUsed / 2 ** 20).toFixed(1)} MiB`,
    `${Math.round((performance.now() - started) / 1_000)} s`,
  ];
  return figures.join(", ");
}

async function suffer(trial: Trial, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (faults() >= wanted) return;
    const full = `${trial.stage.name}: ${name}`;
    struck.set(full, (struck.get(full) ?? 0) + 1);
    try {
      await trial.suffer(name);
    } catch (error) {
      throw new Violation(`${full}: ${error instanceof Violation ? error.message : (error as Error).stack}`);
    }
  }
}

async function soak(): Promise<void> {
  const sdk = await loadSdk(values.sources);
  const node = await loadNodeSdk(values.sources);
  const random = new Random(seeded("soak", 0));
  const origin = await startLoadOrigin();
  const all = {
    direct: () => directStage(sdk),
    gateway: () => gatewayStage(sdk),
    stdio: () => stdioStage(node),
  };
  const chosen = Object.entries(all).filter(([name]) => name.startsWith(values.stage ?? ""));
  const stages = await Promise.all(chosen.map(([, start]) => start()));
  const residue = new Residue();
  trials = stages.map(
    (stage) => new Trial({ sdk, stage, random: random.fork(), origin: origin.url, onViolation: fail }),
  );
  while (faults() < wanted) {
    await Promise.all(trials.map((trial) => suffer(trial, random.shuffled(trial.faults))));
    await Promise.all(trials.map((trial) => trial.leave()));
    await residue.check();
    heapUsed = await heap.sample();
    if (heap.slope > MAX_SLOPE)
      throw new Violation(`the heap grows by ${Math.round(heap.slope)} bytes a round`);
    if (faults() < wanted) for (const trial of trials) trial.enter();
  }
  for (const trial of trials) await trial.end();
  await origin[Symbol.asyncDispose]();
}

say(`soak: SEED=${SEED}, ${wanted} faults`);
const progress = setInterval(() => say(`soak: ${status()}`), PROGRESS_MS);
progress.unref();
try {
  await Promise.race([soak(), failure]);
  for (const [name, count] of [...struck].sort()) say(`  ${count} × ${name}`);
  say(`soak: ${status()}, heap slope ${Math.round(heap.slope)} bytes a round, no violation (SEED=${SEED})`);
} catch (error) {
  say(
    `VIOLATION after ${status()} (SEED=${SEED}): ${error instanceof Violation ? error.message : (error as Error).stack}`,
  );
  process.exit(1);
}
// Nothing may keep this process now: it ends by itself, or is found hanging.
clearInterval(progress);
