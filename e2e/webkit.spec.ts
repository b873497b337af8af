import type { FeatureName } from "./page/features.ts";
import { PLAIN_PAGE } from "./support/build-pages.ts";
import { FEATURES, useFeature } from "./support/features.ts";
import { test as base, expect } from "./support/fixtures.ts";
import { tabulate } from "./support/matrix-table.ts";
import { breakAndRecover, OUTAGES } from "./support/outage.ts";
import { WebDriverSession } from "./support/webdriver.ts";
import { WebKitDriver } from "./support/webkit-driver.ts";
import { WebKitTab } from "./support/webkit-tab.ts";

const KEEP_ALIVE = { intervalMs: 400, timeoutMs: 800 };

interface Fixtures {
  /** The cell of the table. */
  readonly how: string;
  readonly session: WebDriverSession;
  /** The test page. */
  readonly webKit: WebKitTab;
}

/** Tests in WebKitGTK, which Playwright can not drive. They fail if the page has an uncaught error or violates its policy. */
const test = base.extend<Fixtures>({
  how: ["page of Vite's, reconnecting", { option: true }],

  session: async ({ how, stage }, use, info) => {
    // Each session has a driver of its own: a driver whose browser is still ending may never start the next one.
    const driver = await WebKitDriver.start();
    const session = await WebDriverSession.start(driver.url);
    const consumer = session.browser.replace("MiniBrowser", info.project.name);
    tabulate(info, { consumer, how, entries: ["."] });
    await use(session);
    // Also ends the browser.
    await driver.close();
    expect(stage.pages.reports).toEqual([]);
  },

  webKit: async ({ session, stage }, use) => {
    const tab = new WebKitTab(session, stage);
    await tab.open();
    await use(tab);
    expect(await tab.problems()).toEqual([]);
    expect(await tab.violations()).toEqual([]);
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

test.describe("without a bundler", () => {
  test.use({ site: PLAIN_PAGE, how: "page without a bundler" });

  test("the page runs a command under its policy", async ({ session, stage }) => {
    await session.goto(stage.pages.origin);
    const { url } = stage.address;
    const values = { url, token: stage.token, command: "echo $((6 * 7)) grüße; exit 3" };
    expect(await session.evaluate(submitted, values)).toBe("42 grüße\nexit code 3\n");
    expect(stage.front.dials).toBe(1);
  });
});

/** Submits the form of the example in the page. Resolves with its output when that has ended. */
function submitted(values: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, value] of Object.entries(values)) {
    const input = document.querySelector<HTMLInputElement>(`[name="${name}"]`);
    if (input) input.value = value;
  }
  const output = document.querySelector("pre") as HTMLPreElement;
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      const text = output.textContent ?? "";
      if (!/^(exit code|ERR_)/m.test(text)) return;
      observer.disconnect();
      resolve(text);
    });
    observer.observe(output, { childList: true });
    document.querySelector("form")?.requestSubmit();
  });
}
