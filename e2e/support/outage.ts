import type { Loss } from "../page/scenario.ts";
import { expect } from "./fixtures.ts";
import type { Stage } from "./stage.ts";
import type { Tab } from "./tab.ts";

export const CALLERS = 200;

/** What all that hangs on a connection has to come to: one error each, with the lost session's name. */
const LOST: Loss[] = (["body", "call", "exit", "output", "text"] as const).map((what) => ({
  what,
  code: "ERR_DISCONNECTED",
  sessionId: "its own",
}));

/** A way of losing the connection, and of making a new one possible. */
export interface Disaster {
  strike(stage: Stage): Promise<void> | void;
  repair?(stage: Stage): Promise<void>;
}

export const DISASTERS: Readonly<Record<string, Disaster>> = {
  "the server is killed": {
    strike: (stage) => stage.server.kill("SIGKILL"),
    repair: (stage) => stage.server.restart(),
  },
  "the gateway is killed": {
    strike: (stage) => stage.gateway.kill(),
    repair: (stage) => stage.gateway.restart(),
  },
  "the network is cut": {
    strike: (stage) => stage.front.cut(),
  },
};

/** Loses the connection in the middle of everything, and goes on in one new session. Returns its name. */
export async function loseAndGoOn(
  tab: Tab,
  stage: Stage,
  disaster: Disaster,
  round: number,
): Promise<string> {
  const asked = stage.arrival(`/never/${round}`);
  const lost = await tab.do("hang", stage.origin.url, round);
  await asked;
  const before = counts(tab, stage);

  await disaster.strike(stage);
  const losses = await tab.do("losses");
  expect(losses.sort((a, b) => a.what.localeCompare(b.what))).toEqual(LOST);
  const { state, changes } = await tab.do("look");
  expect(state).toBe("disconnected");
  expect(
    changes.filter((change) => change.state === "disconnected" && change.sessionId === lost),
  ).toHaveLength(1);

  await disaster.repair?.(stage);
  expect(counts(tab, stage), "nobody has asked yet").toEqual(before);

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

/** Connections made so far, by the page itself and as the network saw them. */
export function counts(tab: Tab, stage: Stage) {
  return {
    webSockets: tab.webSockets,
    frontDials: stage.front.dials,
    backDials: stage.back.dials,
  };
}
