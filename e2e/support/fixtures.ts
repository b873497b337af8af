import { test as base, expect } from "@playwright/test";
import type { Place } from "../page/main.ts";
import { TEST_PAGE } from "./build-pages.ts";
import { tabulate } from "./matrix-table.ts";
import { Stage } from "./stage.ts";
import { Tab } from "./tab.ts";

interface Fixtures {
  /** The directory of the page that the servers serve. */
  readonly site: string;
  /** New servers for each test. */
  readonly stage: Stage;
  /** Opens the test page in a new tab of the same browser. */
  readonly openTab: (place?: Place) => Promise<Tab>;
  /** The test page in one tab. */
  readonly tab: Tab;
}

/** A test that fails if its pages report an error or violate their Content-Security-Policy. */
export const test = base.extend<Fixtures>({
  site: [TEST_PAGE, { option: true }],

  stage: async ({ site }, use) => {
    const stage = await Stage.start(site);
    await use(stage);
    await stage.close();
  },

  openTab: async ({ context, stage }, use, info) => {
    const browser = `${info.project.name} ${context.browser()?.version()}`;
    tabulate(info, { consumer: browser, how: "page of Vite's, reconnecting", entries: ["."] });
    const tabs: Tab[] = [];
    await use(async (place) => {
      const tab = new Tab(await context.newPage(), stage, place);
      tabs.push(tab);
      await tab.open();
      return tab;
    });
    for (const tab of tabs) {
      expect(tab.problems).toEqual([]);
      if (!tab.page.isClosed()) expect(await tab.violations()).toEqual([]);
    }
    expect(stage.pages.reports).toEqual([]);
  },

  tab: async ({ openTab }, use) => use(await openTab()),
});

export { expect };
