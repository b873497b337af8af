import type { CDPSession } from "@playwright/test";
import { wayFaults } from "../../test/soak/faults.ts";
import type { Stage as SoakStage } from "../../test/soak/stage.ts";
import type { Stage } from "./stage.ts";
import type { Tab } from "./tab.ts";

/** What can happen between a page and its server, and to the page itself. */
export function pageStage(stage: Stage, tab: Tab, devTools: CDPSession): SoakStage {
  const { front, back, server, gateway } = stage;
  const context = tab.page.context();
  const show = (state: "frozen" | "active") => async (): Promise<void> => {
    await devTools.send("Page.setWebLifecycleState", { state });
  };
  return {
    name: "page",
    isReconnectable: true,
    canPing: false,
    faults: {
      ...wayFaults(stage),
      "the gateway is killed": {
        loses: true,
        refuses: true,
        strike: () => gateway.kill(),
        repair: () => gateway.restart(),
      },
      "the browser goes offline": {
        loses: true,
        refuses: true,
        isSilent: true,
        strike: () => context.setOffline(true),
        repair: () => context.setOffline(false),
      },
      "the tab is frozen": { loses: false, strike: show("frozen"), repair: show("active") },
    },
    // Of those that an offline browser makes the network sees nothing.
    get dials() {
      return tab.webSockets ?? 0;
    },
    get open() {
      return Math.max(front.open, back.open);
    },
    get pid() {
      return server.pid;
    },
    renew: () => server.restart(),
  };
}
