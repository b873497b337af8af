import type { Loss } from "../page/scenario.ts";
import { expect } from "./fixtures.ts";
import type { ScenarioPage } from "./scenario-page.ts";
import type { Stage } from "./stage.ts";

export const CALLERS = 200;

/** How everything pending on a connection must end: with one error each, which names the lost session. */
const EXPECTED_LOSSES: Loss[] = (["body", "call", "exit", "output", "text"] as const).map((what) => ({
  what,
  code: "ERR_DISCONNECTED",
  sessionId: "its own",
}));

/** A way to break the connection, and to make a new one possible. */
export interface Outage {
  begin(stage: Stage): Promise<void> | void;
  end?(stage: Stage): Promise<void>;
}

export const OUTAGES: Readonly<Record<string, Outage>> = {
  "the server is killed": {
    begin: (stage) => stage.server.kill("SIGKILL"),
    end: (stage) => stage.server.restart(),
  },
  "the gateway is killed": {
    begin: (stage) => stage.gateway.kill(),
    end: (stage) => stage.gateway.restart(),
  },
  "the network is cut": {
    begin: (stage) => stage.front.cut(),
  },
};

/** Breaks the connection while work is pending, and recovers in one new session. Resolves with its id. */
export async function breakAndRecover(
  tab: ScenarioPage,
  stage: Stage,
  outage: Outage,
  round: number,
): Promise<string> {
  const requested = stage.arrival(`/never/${round}`);
  const lost = await tab.do("hang", stage.origin.url, round);
  await requested;
  const before = counts(tab, stage);

  await outage.begin(stage);
  const losses = await tab.do("losses");
  expect(losses.sort((a, b) => a.what.localeCompare(b.what))).toEqual(EXPECTED_LOSSES);
  const { state, changes } = await tab.do("look");
  expect(state).toBe("disconnected");
  expect(
    changes.filter((change) => change.state === "disconnected" && change.sessionId === lost),
  ).toHaveLength(1);

  await outage.end?.(stage);
  expect(counts(tab, stage), "no dial before the next call").toEqual(before);

  const crowd = await tab.do("crowd", CALLERS);
  expect(crowd.answered).toBe(CALLERS);
  expect(crowd.clients).toBe(1);
  expect(crowd.sessions).toEqual([expect.not.stringContaining(lost)]);
  expect(counts(tab, stage)).toEqual({
    webSockets: before.webSockets === undefined ? undefined : before.webSockets + 1,
    frontDials: before.frontDials + 1,
    backDials: before.backDials + 1,
  });
  expect(await tab.do("echo", `round ${round}`)).toBe(`round ${round}`);
  return crowd.sessions[0] ?? "";
}

/** Connections opened so far: by the page itself, and through the proxies. */
export function counts(tab: ScenarioPage, stage: Stage) {
  return {
    webSockets: tab.webSockets,
    frontDials: stage.front.dials,
    backDials: stage.back.dials,
  };
}
