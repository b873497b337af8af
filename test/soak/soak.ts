/**
 * A program: `soak.ts [--faults N] [--stage NAME] [--sources DIRECTORY]`. Clients on every kind of connection work, while everything
 * that can go wrong does, in random order. Ends with code 1 at the first violation.
 */
import { getEventListeners } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Random } from "../support/random.ts";
import { loadNodeSdk, loadSdk, type Sdk } from "../support/sdk.ts";
import { SEED, seeded } from "../support/seed.ts";
import { Violation } from "../support/violation.ts";
import { directStage } from "./direct-stage.ts";
import { gatewayStage } from "./gateway-stage.ts";
import { Player } from "./load/player.ts";
import { startLoadOrigin } from "./origin.ts";
import { Growth, heapInUse, Released, Residue } from "./residue.ts";
import type { LocalStage } from "./stage.ts";
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
const heap = new Growth();
const released = new Released();
let stages: LocalStage[] = [];
let trials: Trial[] = [];

const faults = (): number => [...struck.values()].reduce((sum, count) => sum + count, 0);

async function status(): Promise<string> {
  const counts = await Promise.all(trials.map(({ player }) => player.counts()));
  const accounts = await Promise.all(trials.map(({ player }) => player.account()));
  const sum = <T>(list: readonly T[], of: (item: T) => number): number =>
    list.reduce((total, item) => total + of(item), 0);
  const figures = [
    `${faults()} faults`,
    `${sum(counts, ({ operations }) => operations)} operations`,
    `${sum(counts, ({ lost }) => lost)} of them lost`,
    `${sum(counts, ({ givenUp }) => givenUp)} given up`,
    `${Math.round(sum(counts, ({ bytes }) => bytes) / 2 ** 20)} MiB`,
    `${sum(accounts, ({ connected }) => connected)} sessions`,
    `heap ${(heap.latest / 2 ** 20).toFixed(1)} MiB`,
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

function begin(sdk: Sdk, stage: LocalStage, random: Random, origin: string): Trial {
  const directory = mkdtempSync(join(tmpdir(), "soak-"));
  const player = new Player({
    sdk,
    name: stage.name,
    random: random.fork(),
    transport: () => stage.transport(),
    directory,
    origin,
    sleep: (ms) => sleep(ms),
    listenersOf: (signal) => getEventListeners(signal, "abort").length,
    onViolation: fail,
    onRelease: (client) => released.add(client),
  });
  return new Trial(stage, player, directory, random);
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
  stages = await Promise.all(chosen.map(([, start]) => start()));
  const residue = new Residue();
  trials = stages.map((stage) => begin(sdk, stage, random.fork(), origin.url));
  while (faults() < wanted) {
    await Promise.all(trials.map((trial) => suffer(trial, random.shuffled(trial.faults))));
    await Promise.all(trials.map((trial) => trial.leave()));
    await residue.check();
    await released.check();
    heap.add(await heapInUse());
    if (heap.slope > MAX_SLOPE)
      throw new Violation(`the heap grows by ${Math.round(heap.slope)} bytes a round`);
    if (faults() < wanted) await Promise.all(trials.map((trial) => trial.enter()));
  }
  for (const { player } of trials) await player.stop();
  for (const stage of stages) await stage[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
}

say(`soak: SEED=${SEED}, ${wanted} faults`);
const progress = setInterval(async () => say(`soak: ${await status()}`), PROGRESS_MS);
progress.unref();
try {
  await Promise.race([soak(), failure]);
  for (const [name, count] of [...struck].sort()) say(`  ${count} × ${name}`);
  say(
    `soak: ${await status()}, heap slope ${Math.round(heap.slope)} bytes a round, no violation (SEED=${SEED})`,
  );
} catch (error) {
  say(
    `VIOLATION after ${await status()} (SEED=${SEED}): ${error instanceof Violation ? error.message : (error as Error).stack}`,
  );
  // Whatever is broken, the servers shall not outlive this.
  await Promise.race([Promise.allSettled(stages.map((stage) => stage[Symbol.asyncDispose]())), sleep(5_000)]);
  process.exit(1);
}
// Nothing may keep this process now: it ends by itself, or is found hanging.
clearInterval(progress);
