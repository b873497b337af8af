import type { CDPSession } from "@playwright/test";
import { gatewayPathFaults } from "../../test/soak/faults.ts";
import type { Setup as SoakSetup } from "../../test/soak/setup.ts";
import type { Stage } from "./stage.ts";
import type { Tab } from "./tab.ts";

/** The faults of the soak test between a page and its server, and in the page itself. */
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
    // Counted in the page: the dials of an offline browser never reach the network.
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
