import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CDPSession, Page } from "@playwright/test";
import type { Player } from "../test/soak/load/player.ts";
import { startLoadOrigin } from "../test/soak/origin.ts";
import { Growth } from "../test/soak/residue.ts";
import { Trial } from "../test/soak/trial.ts";
import { Random } from "../test/support/random.ts";
import { SEED, seeded } from "../test/support/seed.ts";
import type { Harness } from "./page/main.ts";
import { expect, test } from "./support/fixtures.ts";
import { pageStage } from "./support/page-stage.ts";
import type { Tab } from "./support/tab.ts";

const FAULTS = Number(process.env["SOAK_FAULTS"] ?? 10);
/** A fault with all that is waited for takes about two seconds; a silent one has to be found first. */
const MS_EACH = 20_000;
/** Bytes from round to round. */
const MAX_SLOPE = 128 * 1024;
/** The browser tells of it in the console, whatever the page does about it. */
const REFUSED_DIAL = /^WebSocket connection to 'ws:\/\/127\.0\.0\.1:\d+\/' failed/;

test(`${FAULTS} faults under a page that works cost what they have to, and nothing else`, async ({
  tab,
  stage,
}) => {
  test.setTimeout(120_000 + FAULTS * MS_EACH);
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
  const trial = new Trial(pageStage(stage, tab, devTools), playerIn(tab.page), directory, random);
  try {
    await soak(trial, random, devTools);
  } finally {
    forgiveRefusedDials(tab);
    await origin[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  }
});

async function soak(trial: Trial, random: Random, devTools: CDPSession): Promise<void> {
  const [heap, listeners] = [new Growth(), new Growth()];
  for (let struck = 0; struck < FAULTS; ) {
    for (const fault of random.shuffled(trial.faults).slice(0, FAULTS - struck)) {
      await test.step(fault, () => trial.suffer(fault));
      struck++;
    }
    await trial.leave();
    const metrics = await collectedMetrics(devTools);
    heap.add(metrics["JSHeapUsedSize"] ?? 0);
    listeners.add(metrics["JSEventListeners"] ?? 0);
    expect(heap.slope).toBeLessThan(MAX_SLOPE);
    expect(listeners.slope).toBeLessThan(1);
    if (struck < FAULTS) await trial.enter();
    await report(trial, struck, heap.latest);
  }
  await trial.player.stop();
}

async function report({ player }: Trial, faults: number, heap: number): Promise<void> {
  const [{ operations, lost, bytes }, { connected }] = [await player.counts(), await player.account()];
  process.stdout.write(
    `      ${faults} faults, ${operations} operations, ${lost} of them lost, ${Math.round(bytes / 2 ** 20)} MiB, ` +
      `${connected} sessions, heap ${(heap / 2 ** 20).toFixed(1)} MiB\n`,
  );
}

type PageGlobal = { readonly harness: Harness };

/** The player in the page, to be called from here. */
function playerIn(page: Page): Pick<Player, keyof Player> {
  const call =
    (name: string) =>
    (...args: unknown[]) =>
      page.evaluate(
        ({ name, args }) =>
          (globalThis as unknown as PageGlobal).harness.soaking.perform(name as keyof Player, args),
        { name, args },
      );
  return new Proxy({} as Pick<Player, keyof Player>, { get: (_, name) => call(String(name)) });
}

async function collectedMetrics(devTools: CDPSession): Promise<Record<string, number>> {
  await devTools.send("HeapProfiler.collectGarbage");
  await devTools.send("Performance.enable");
  const { metrics } = await devTools.send("Performance.getMetrics");
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

function forgiveRefusedDials({ complaints }: Tab): void {
  const own = complaints.filter((complaint) => !REFUSED_DIAL.test(complaint));
  complaints.splice(0, complaints.length, ...own);
}
