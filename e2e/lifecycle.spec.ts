import type { Page } from "@playwright/test";
import type { Harness } from "./page/main.ts";
import { CHROMIUM } from "./playwright.config.ts";
import { BareBrowser } from "./support/bare-browser.ts";
import { expect, test } from "./support/fixtures.ts";
import { CALLERS } from "./support/outage.ts";

const CONNECT_TIMEOUT_MS = 500;

type PageGlobal = { readonly harness: Harness; persisted?: boolean };

// Playwright disables the back/forward cache.
test.use({
  launchOptions: { ...CHROMIUM.launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] },
});

/** Resolves when the page has been restored from the back/forward cache. */
async function goBack(page: Page): Promise<void> {
  await page.goBack({ waitUntil: "commit" });
  await expect.poll(() => page.evaluate(() => (globalThis as unknown as PageGlobal).persisted)).toBe(true);
}

/** Makes the page note whether it was restored. A page that was loaded anew has no note. */
async function noteRestore(page: Page): Promise<void> {
  await page.evaluate(() => {
    addEventListener("pageshow", ({ persisted }) => Object.assign(globalThis, { persisted }));
  });
}

for (const place of ["inPage", "inPortWorker"] as const) {
  test(`a page in the back/forward cache has no session, and makes a new one when it returns (${place})`, async ({
    stage,
    openTab,
  }) => {
    stage.pages.cacheControl = "no-cache";
    const tab = await openTab(place);
    await noteRestore(tab.page);
    const before = await tab.do("hang", stage.origin.url, 1);
    expect([stage.front.open, stage.back.open]).toEqual([1, 1]);
    await tab.page.goto(`${stage.pages.origin}/blank`);
    await expect.poll(() => [stage.front.open, stage.back.open], { timeout: 1_000 }).toEqual([0, 0]);

    await goBack(tab.page);
    const losses = await tab.do("losses");
    expect(losses.map(({ code }) => code)).toEqual(Array(5).fill("ERR_DISCONNECTED"));
    const { sessions } = await tab.do("crowd", CALLERS);
    expect(sessions).toHaveLength(1);
    expect(sessions).not.toContain(before);
    expect(stage.front.dials).toBe(2);
  });
}

test("the first call of a prerendered page succeeds, however late the page is visited", async ({ stage }) => {
  // Playwright attaches to pages in a way in which Chromium prerenders none.
  await using browser = await BareBrowser.open(`${stage.pages.origin}/blank`);
  await browser.until("location.pathname === '/blank' && document.readyState === 'complete'");
  const rules = JSON.stringify({ prerender: [{ urls: ["/"], eagerness: "immediate" }] });
  await browser.evaluate(`
    const script = document.createElement("script");
    script.type = "speculationrules";
    script.text = ${JSON.stringify(rules)};
    document.head.append(script);
  `);
  await browser.pages(2);
  await browser.until("'harness' in globalThis", "prerendered");
  const prepare = { name: "prepare", args: [stage.address, false, CONNECT_TIMEOUT_MS] };
  await browser.evaluate(
    `
      harness.perform("inPage", ${JSON.stringify(prepare)});
      var echo = harness.perform("inPage", { name: "echo", args: ["early"] });
      var calledAt = performance.now();
    `,
    "prerendered",
  );
  await browser.until(`performance.now() - calledAt > ${2 * CONNECT_TIMEOUT_MS}`, "prerendered");
  expect(await browser.evaluate("document.prerendering", "prerendered")).toBe(true);
  expect(stage.front.dials).toBe(0);

  await browser.evaluate("location.assign('/')");
  await browser.pages(1);
  expect(await browser.evaluate("echo")).toBe("early");
  expect(stage.front.dials).toBe(1);
});
