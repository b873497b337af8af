import type { CDPSession } from "@playwright/test";
import { gatewayPathFaults } from "../../test/soak/faults.ts";
import type { Setup as SoakSetup } from "../../test/soak/setup.ts";
import type { Stage } from "./stage.ts";
import type { Tab } from "./tab.ts";

/** What can happen between a page and its server, and to the page itself. */
export function pageStage(stage: Stage, tab: Tab, devTools: CDPSession): SoakSetup {
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
      ...gatewayPathFaults(stage),
      "the gateway is killed": {
        disconnects: true,
        refusesDials: true,
        inject: () => gateway.kill(),
        repair: () => gateway.restart(),
      },
      "the browser goes offline": {
        disconnects: true,
        refusesDials: true,
        isSilent: true,
        inject: () => context.setOffline(true),
        repair: () => context.setOffline(false),
      },
      "the tab is frozen": { disconnects: false, inject: show("frozen"), repair: show("active") },
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
