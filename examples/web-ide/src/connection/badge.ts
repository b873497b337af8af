import type { LazyExecServerClient, StateChange } from "exec-server-sdk";
import { byId, make } from "../page/dom.ts";

const CHANGES_SHOWN = 8;
const LABELS = {
  idle: "Not connected yet",
  connecting: "Connecting…",
  connected: "Connected",
  disconnected: "Disconnected",
  closed: "Closed",
};
const HINTS = {
  idle: "connects with your first action",
  connecting: "one attempt, shared by the whole page",
  connected: "",
  disconnected: "your next action opens a new session",
  closed: "",
};

/** Shows the state of the page's connection. It only listens to state changes, which never connects. */
export function showConnection(client: LazyExecServerClient): void {
  show(client, undefined);
  client.onStateChange((change) => {
    show(client, change.state === "connected" ? change.sessionId : undefined);
    const list = byId("badge-changes");
    list.prepend(line(change));
    list.children[CHANGES_SHOWN]?.remove();
  });
  // A click elsewhere closes the panel.
  document.addEventListener("click", ({ target }) => {
    const badge = byId<HTMLDetailsElement>("badge");
    if (!badge.contains(target as Node)) badge.open = false;
  });
}

function show({ state }: LazyExecServerClient, sessionId: string | undefined): void {
  byId("badge").dataset["state"] = state;
  byId("badge-text").textContent = sessionId ? `${LABELS[state]} · ${short(sessionId)}` : LABELS[state];
  byId("badge-state").textContent = [LABELS[state], HINTS[state]].filter(Boolean).join(": ");
  byId("badge-session").textContent = sessionId ?? "none";
}

function line({ previous, state, sessionId, error }: StateChange): HTMLLIElement {
  const time = new Date().toLocaleTimeString(undefined, { hour12: false });
  const detail = [sessionId && short(sessionId), error?.code].filter(Boolean).join(" · ");
  const row = make(
    "li",
    {},
    make("time", { textContent: time }),
    make("span", { className: "dot" }),
    make("span", { textContent: `${previous} → ${state}` }),
    make("span", { className: "mono subtle", textContent: detail }),
  );
  row.dataset["state"] = state;
  return row;
}

const short = (sessionId: string): string => sessionId.slice(0, 8);
