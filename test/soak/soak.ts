/**
 * `soak.ts [--faults N] [--setup NAME] [--sources DIRECTORY]` runs load on direct, gateway and stdio connections and injects
 * every fault in random order. Exits with code 1 at the first violation.
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
import { directSetup } from "./direct-setup.ts";
import { FaultRunner } from "./fault-runner.ts";
import { gatewaySetup } from "./gateway-setup.ts";
import { Growth, heapBytes, LeakDetector, ReleasedObjects } from "./leaks.ts";
import { LoadDriver } from "./load/driver.ts";
import { startLoadOrigin } from "./origin.ts";
import type { LocalSetup } from "./setup.ts";
import { stdioSetup } from "./stdio-setup.ts";

const PROGRESS_MS = 5_000;
/** Maximum growth of the heap per round, in bytes. */
const MAX_SLOPE = 64 * 1024;

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "30" },
    sources: { type: "string" },
    setup: { type: "string", default: "" },
  },
});
const faultsToInject = Number(values.faults);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

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
const injected = new Map<string, number>();
const heap = new Growth();
const released = new ReleasedObjects();
let setups: LocalSetup[] = [];
let runners: FaultRunner[] = [];

const faults = (): number => [...injected.values()].reduce((sum, count) => sum + count, 0);

async function status(): Promise<string> {
  const counts = await Promise.all(runners.map(({ driver }) => driver.counts()));
  const connections = await Promise.all(runners.map(({ driver }) => driver.connectionCounts()));
  const sum = <T>(list: readonly T[], of: (item: T) => number): number =>
    list.reduce((total, item) => total + of(item), 0);
  const figures = [
    `${faults()} faults`,
    `${sum(counts, ({ operations }) => operations)} operations`,
    `${sum(counts, ({ lost }) => lost)} of them lost`,
    `${sum(counts, ({ aborted }) => aborted)} aborted`,
    `${Math.round(sum(counts, ({ bytes }) => bytes) / 2 ** 20)} MiB`,
    `${sum(connections, ({ connected }) => connected)} sessions`,
    `heap ${(heap.latest / 2 ** 20).toFixed(1)} MiB`,
    `${Math.round((performance.now() - started) / 1_000)} s`,
  ];
  return figures.join(", ");
}

async function injectFaults(runner: FaultRunner, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (faults() >= faultsToInject) return;
    const label = `${runner.setup.name}: ${name}`;
    injected.set(label, (injected.get(label) ?? 0) + 1);
    try {
      await runner.injectFault(name);
    } catch (error) {
      throw new Violation(`${label}: ${error instanceof Violation ? error.message : (error as Error).stack}`);
    }
  }
}

function createRunner(sdk: Sdk, setup: LocalSetup, random: Random, origin: string): FaultRunner {
  const directory = mkdtempSync(join(tmpdir(), "soak-"));
  const driver = new LoadDriver({
    sdk,
    name: setup.name,
    random: random.fork(),
    transport: () => setup.transport(),
    directory,
    origin,
    sleep: (ms) => sleep(ms),
    listenersOf: (signal) => getEventListeners(signal, "abort").length,
    onViolation: fail,
    onRelease: (client) => released.add(client),
  });
  return new FaultRunner(setup, driver, directory, random);
}

async function soak(): Promise<void> {
  const sdk = await loadSdk(values.sources);
  const node = await loadNodeSdk(values.sources);
  const random = new Random(seeded("soak", 0));
  const origin = await startLoadOrigin();
  const all = {
    direct: () => directSetup(sdk),
    gateway: () => gatewaySetup(sdk),
    stdio: () => stdioSetup(node),
  };
  const selected = Object.entries(all).filter(([name]) => name.startsWith(values.setup ?? ""));
  setups = await Promise.all(selected.map(([, start]) => start()));
  const leaks = new LeakDetector();
  runners = setups.map((setup) => createRunner(sdk, setup, random.fork(), origin.url));
  while (faults() < faultsToInject) {
    await Promise.all(runners.map((runner) => injectFaults(runner, random.shuffled(runner.faults))));
    await Promise.all(runners.map((runner) => runner.endRound()));
    await leaks.check();
    await released.check();
    heap.add(await heapBytes());
    if (heap.slope > MAX_SLOPE)
      throw new Violation(`the heap grows by ${Math.round(heap.slope)} bytes a round`);
    if (faults() < faultsToInject) await Promise.all(runners.map((runner) => runner.beginRound()));
  }
  for (const { driver } of runners) await driver.stop();
  for (const setup of setups) await setup[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
}

print(`soak: SEED=${SEED}, ${faultsToInject} faults`);
const progress = setInterval(async () => print(`soak: ${await status()}`), PROGRESS_MS);
progress.unref();
try {
  await Promise.race([soak(), failure]);
  for (const [name, count] of [...injected].sort()) print(`  ${count} × ${name}`);
  print(
    `soak: ${await status()}, heap slope ${Math.round(heap.slope)} bytes a round, no violation (SEED=${SEED})`,
  );
} catch (error) {
  print(
    `VIOLATION after ${await status()} (SEED=${SEED}): ${error instanceof Violation ? error.message : (error as Error).stack}`,
  );
  // Stop the servers, but not for longer than 5 s: `close()` itself may be broken.
  await Promise.race([Promise.allSettled(setups.map((setup) => setup[Symbol.asyncDispose]())), sleep(5_000)]);
  process.exit(1);
}
// From here nothing may keep the process alive. If it does not exit, the parent process reports a hang.
clearInterval(progress);
