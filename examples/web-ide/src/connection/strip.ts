import type { LazyExecServerClient, TimelineEntry } from "exec-server-sdk";
import { byId, make } from "../page/dom.ts";
import { setUpCallers } from "./callers.ts";
import { type History, historyOf } from "./history.ts";
import { ServerMonitor } from "./server-monitor.ts";
import { TimelineView } from "./timeline-view.ts";
import { clock, describe, detailsOf } from "./words.ts";

/** Shows the page's connection: its state in words, and its history as marks and as a list. Listening never connects. */
export function showConnection(client: LazyExecServerClient): void {
  const view = new TimelineView();
  const monitor = new ServerMonitor(() => showState(historyOf(client.timeline)));

  const showState = (history: History): void => {
    const sessionId = client.state === "connected" ? history.sessions.at(-1)?.id : undefined;
    const failure = history.attempts.at(-1)?.failure;
    const { text, hint } = describe({ state: client.state, sessionId, server: monitor.health, failure });
    const { dataset } = byId("connection");
    dataset["state"] = client.state;
    dataset["server"] = monitor.health;
    setText("badge-text", text);
    setText("badge-hint", hint);
  };
  const show = (): void => {
    const history = historyOf(client.timeline);
    showState(history);
    view.show(history);
    byId("badge-changes").replaceChildren(...client.timeline.map((entry) => line(entry, history)).reverse());
  };

  client.onStateChange(show);
  setUpCallers({ client, onChange: (convergence) => view.showConvergence(convergence) });
  setUpEvents();
  show();
}

/** Text that stays the same is not announced again. */
function setText(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

/** A click elsewhere, also in a preview, and Escape close the list. */
function setUpEvents(): void {
  const events = byId<HTMLDetailsElement>("events");
  document.addEventListener("click", ({ target }) => {
    if (!events.contains(target as Node)) events.open = false;
  });
  // A click in the preview's frame is seen only by the focus that it takes.
  addEventListener("blur", () => {
    if (document.activeElement?.tagName === "IFRAME") events.open = false;
  });
  events.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !events.open) return;
    events.open = false;
    events.querySelector("summary")?.focus();
  });
}

function line(entry: TimelineEntry, { losses }: History): HTMLLIElement {
  const { at, previous, state } = entry;
  const loss = previous === "connected" ? losses.find((each) => each.at === at) : undefined;
  const row = make(
    "li",
    {},
    make("time", { textContent: clock(at), dateTime: new Date(at).toISOString() }),
    make("span", { className: "dot" }),
    make("span", { textContent: `${previous} → ${state}` }),
    make("span", { className: "mono subtle", textContent: detailsOf(entry, loss) }),
  );
  row.dataset["state"] = state;
  return row;
}
