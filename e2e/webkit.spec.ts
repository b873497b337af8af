import type { FeatureName } from "./page/features.ts";
import { FEATURES, useFeature } from "./support/features.ts";
import { test as base, expect } from "./support/fixtures.ts";
import { tabulate } from "./support/matrix-table.ts";
import { breakAndRecover, OUTAGES } from "./support/outage.ts";
import { WebDriverSession } from "./support/webdriver.ts";
import { WebKitDriver } from "./support/webkit-driver.ts";
import { WebKitTab } from "./support/webkit-tab.ts";

const KEEP_ALIVE = { intervalMs: 400, timeoutMs: 800 };

/** Tests in WebKitGTK, which Playwright can not drive. They fail if the page has an uncaught error or violates its policy. */
const test = base.extend<{ readonly webKit: WebKitTab }, { readonly driver: WebKitDriver }>({
  driver: [
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
    async ({}, use) => {
      const driver = await WebKitDriver.start();
      await use(driver);
      await driver.close();
    },
    { scope: "worker" },
  ],

  webKit: async ({ driver, stage }, use, info) => {
    const session = await WebDriverSession.start(driver.url);
    const consumer = session.browser.replace("MiniBrowser", info.project.name);
    tabulate(info, { consumer, how: "page of Vite's, reconnecting", entries: ["."] });
    const tab = new WebKitTab(session, stage);
    await tab.open();
    await use(tab);
    expect(await tab.problems()).toEqual([]);
    expect(await tab.violations()).toEqual([]);
    expect(stage.pages.reports).toEqual([]);
    await session.close();
  },
});

for (const name of Object.keys(FEATURES) as FeatureName[]) {
  test(`has the feature ${name} in a page`, async ({ webKit, stage }) => {
    await useFeature(webKit, stage, name);
  });
}

test("connects once, on the first use", async ({ webKit, stage }) => {
  expect(await webKit.do("look")).toEqual({ state: "idle", dials: 0, changes: [] });
  expect(stage.front.dials).toBe(0);
  await webKit.do("crowd", 200);
  expect(stage.front.dials).toBe(1);
  expect((await webKit.do("look")).dials).toBe(1);
});

for (const [name, outage] of Object.entries(OUTAGES)) {
  test(`replaces the session with one dial when ${name}, three times`, async ({ webKit, stage }) => {
    const sessions = new Set<string>();
    for (const round of [1, 2, 3]) sessions.add(await breakAndRecover(webKit, stage, outage, round));
    expect(sessions.size).toBe(3);
  });
}

test("detects a network that is silent, and does not reconnect before the next use", async ({
  webKit,
  stage,
}) => {
  await webKit.do("prepare", stage.address, KEEP_ALIVE);
  const session = await webKit.do("session");
  stage.front.freeze();
  expect(await webKit.do("lost")).toMatchObject({
    code: "ERR_DISCONNECTED",
    message: expect.stringContaining("gave no sign of life within 800 ms"),
  });
  expect(await webKit.do("look")).toMatchObject({ state: "disconnected", dials: 1 });
  expect(stage.front.dials).toBe(1);
  expect(await webKit.do("session")).not.toBe(session);
  expect(stage.front.dials).toBe(2);
});
