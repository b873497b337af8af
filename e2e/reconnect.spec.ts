import { expect, test } from "./support/fixtures.ts";
import { breakAndRecover, counts, OUTAGES } from "./support/outage.ts";

const ROUNDS = 20;
const SERVER_KILLED = OUTAGES["the server is killed"] as (typeof OUTAGES)[string];

test(`replaces the session when the server is killed, ${ROUNDS} times in a row`, async ({ tab, stage }) => {
  test.setTimeout(ROUNDS * 9_000);
  const sessions = new Set<string>();
  for (let round = 1; round <= ROUNDS; round++) {
    sessions.add(await breakAndRecover(tab, stage, SERVER_KILLED, round));
  }
  expect(sessions.size).toBe(ROUNDS);
});

const PLACES = {
  inPage: "a page",
  inWorker: "a dedicated worker",
  inFrame: "a frame on ports to its page",
  inPortWorker: "a dedicated worker on ports to its page",
} as const;

for (const [name, outage] of Object.entries(OUTAGES)) {
  for (const [place, where] of Object.entries(PLACES) as [keyof typeof PLACES, string][]) {
    test(`replaces the session in ${where} when ${name}`, async ({ openTab, stage }) => {
      const tab = await openTab(place);
      for (const round of [1, 2]) await breakAndRecover(tab, stage, outage, round);
    });
  }
}

test("connects once, on the first use", async ({ tab, stage }) => {
  expect(await tab.do("look")).toEqual({ state: "idle", dials: 0, changes: [] });
  expect(stage.front.dials).toBe(0);
  await tab.do("crowd", 200);
  expect(stage.front.dials).toBe(1);
  expect((await tab.do("look")).dials).toBe(1);
});

test("does not reconnect before the next use", async ({ tab, stage }) => {
  // From here on, the test controls the page's clock and timers.
  await tab.page.clock.install();
  await tab.page.reload();
  await tab.do("prepare", stage.address);
  await loseSession(tab, stage);
  const before = counts(tab, stage);
  await tab.page.clock.fastForward("24:00:00");
  await tab.page.evaluate(() => {
    for (const name of ["online", "focus", "pageshow"]) dispatchEvent(new Event(name));
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await tab.page.clock.fastForward("24:00:00");
  expect(await tab.do("look")).toMatchObject({ state: "disconnected" });
  expect(counts(tab, stage)).toEqual(before);
  expect(await tab.do("echo", "asked")).toBe("asked");
  expect(stage.front.dials).toBe(before.frontDials + 1);
});

/** Ends the session of the page by killing the server, and restarts the server. */
async function loseSession(
  tab: Parameters<typeof breakAndRecover>[0],
  stage: Parameters<typeof breakAndRecover>[1],
): Promise<void> {
  await tab.do("hang", stage.origin.url, 0);
  await stage.server.kill("SIGKILL");
  await tab.do("losses");
  await stage.server.restart();
}
