import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CDPSession, Page } from "@playwright/test";
import { FaultRunner } from "../test/soak/fault-runner.ts";
import { Growth } from "../test/soak/leaks.ts";
import type { LoadDriver } from "../test/soak/load/driver.ts";
import { startLoadOrigin } from "../test/soak/origin.ts";
import { Random } from "../test/support/random.ts";
import { SEED, seeded } from "../test/support/seed.ts";
import type { Harness } from "./page/main.ts";
import { expect, test } from "./support/fixtures.ts";
import { pageStage } from "./support/page-stage.ts";
import type { Tab } from "./support/tab.ts";

const FAULTS = Number(process.env["SOAK_FAULTS"] ?? 6);
/** Timeout per fault in milliseconds. A fault takes about 2 s, a silent one longer until it is detected. */
const FAULT_TIMEOUT_MS = 20_000;
/** The allowed growth of the heap, in bytes per round. */
const MAX_SLOPE = 128 * 1024;
/** The browser logs this error for a refused dial. A page can not prevent it. */
const REFUSED_DIAL = /^WebSocket connection to 'ws:\/\/127\.0\.0\.1:\d+\/' failed/;

test(`${FAULTS} faults under the load of a page lose pending operations only, and leak no memory`, async ({
  tab,
  stage,
}) => {
  test.setTimeout(120_000 + FAULTS * FAULT_TIMEOUT_MS);
  process.stdout.write(`      soak of a page: SEED=${SEED}, ${FAULTS} faults\n`);
  const devTools = await tab.page.context().newCDPSession(tab.page);
  const origin = await startLoadOrigin();
  const directory = mkdtempSync(join(tmpdir(), "soak-page-"));
  const random = new Random(seeded("soak-page", 0));
  await tab.page.evaluate((options) => (globalThis as unknown as PageGlobal).harness.soaking.begin(options), {
    address: stage.address,
    state: random.below(2 ** 32),
    name: "page",
    directory,
    origin: origin.url,
  });
  const runner = new FaultRunner(pageStage(stage, tab, devTools), driverIn(tab.page), directory, random);
  try {
    await soak(runner, random, devTools);
  } finally {
    ignoreRefusedDials(tab);
    await origin[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  }
});

async function soak(runner: FaultRunner, random: Random, devTools: CDPSession): Promise<void> {
  const [heap, listeners] = [new Growth(), new Growth()];
  for (let struck = 0; struck < FAULTS; ) {
    for (const fault of random.shuffled(runner.faults).slice(0, FAULTS - struck)) {
      await test.step(fault, () => runner.injectFault(fault));
      struck++;
    }
    await runner.endRound();
    const metrics = await collectedMetrics(devTools);
    heap.add(metrics["JSHeapUsedSize"] ?? 0);
    listeners.add(metrics["JSEventListeners"] ?? 0);
    expect(heap.slope).toBeLessThan(MAX_SLOPE);
    expect(listeners.slope).toBeLessThan(1);
    if (struck < FAULTS) await runner.beginRound();
    await report(runner, struck, heap.latest);
  }
  await runner.driver.stop();
}

async function report({ driver }: FaultRunner, faults: number, heap: number): Promise<void> {
  const [{ operations, lost, bytes }, { connected }] = [
    await driver.counts(),
    await driver.connectionCounts(),
  ];
  process.stdout.write(
    `      ${faults} faults, ${operations} operations, ${lost} of them lost, ${Math.round(bytes / 2 ** 20)} MiB, ` +
      `${connected} sessions, heap ${(heap / 2 ** 20).toFixed(1)} MiB\n`,
  );
}

type PageGlobal = { readonly harness: Harness };

/** Calls the load driver in the page. */
function driverIn(page: Page): Pick<LoadDriver, keyof LoadDriver> {
  const call =
    (name: string) =>
    (...args: unknown[]) =>
      page.evaluate(
        ({ name, args }) =>
          (globalThis as unknown as PageGlobal).harness.soaking.perform(name as keyof LoadDriver, args),
        { name, args },
      );
  return new Proxy({} as Pick<LoadDriver, keyof LoadDriver>, { get: (_, name) => call(String(name)) });
}

async function collectedMetrics(devTools: CDPSession): Promise<Record<string, number>> {
  await devTools.send("HeapProfiler.collectGarbage");
  await devTools.send("Performance.enable");
  const { metrics } = await devTools.send("Performance.getMetrics");
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

function ignoreRefusedDials({ problems }: Tab): void {
  const others = problems.filter((problem) => !REFUSED_DIAL.test(problem));
  problems.splice(0, problems.length, ...others);
}
