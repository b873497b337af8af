import { test as base, expect } from "@playwright/test";
import type { Place } from "../page/main.ts";
import { tabulate } from "./matrix-table.ts";
import { Stage } from "./stage.ts";
import { Tab } from "./tab.ts";

interface Fixtures {
  /** New servers for each test. */
  readonly stage: Stage;
  /** Opens the test page in a new tab of the same browser. */
  readonly openTab: (place?: Place) => Promise<Tab>;
  /** The test page in one tab. */
  readonly tab: Tab;
}

/** A test that fails if its pages report an error or violate their Content-Security-Policy. */
export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
  stage: async ({}, use) => {
    const stage = await Stage.start();
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
