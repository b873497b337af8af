import { make } from "../page/dom.ts";
import { CALLERS } from "./callers.ts";
import type { Attempt, Loss, SessionSpan } from "./history.ts";
import { makeLabel } from "./labels.ts";
import { clock, detailsOf, milliseconds, short, taken } from "./words.ts";

/** The callers of one moment start an attempt within this time. */
const SAME_MOMENT_MS = 50;

/** Whether callers of this moment wait for the attempt. */
export function belongsTo(at: number, { from, to = Infinity }: Attempt): boolean {
  return from - at <= SAME_MOMENT_MS && at <= to;
}

/** @param isShared Whether the button's callers wait for the attempt. */
export function attemptMark(attempt: Attempt, isShared: boolean): HTMLElement {
  const { from, to, ms, failure, entry } = attempt;
  const time = ms === undefined ? [] : [milliseconds(ms)];
  const callers = isShared ? [`${CALLERS} callers`] : [];
  const label = failure
    ? makeLabel([...callers, "failed", ...time], "failed")
    : makeLabel([...callers, ...time], ...time);
  const mark = make("div", { className: "attempt" }, label);
  mark.dataset["outcome"] = failure ? "failed" : to === undefined ? "running" : "connected";
  if (entry) mark.title = `${clock(from)} ${detailsOf(entry, undefined)}`;
  return mark;
}

/** @param colour The number of the session's colour. */
export function sessionMark({ id }: SessionSpan, colour: number): HTMLElement {
  const mark = make("div", { className: "session", title: id }, make("span", { textContent: short(id) }));
  mark.style.setProperty("--session", `var(--session-${colour})`);
  return mark;
}

export function lossMark(loss: Loss): HTMLElement {
  const parts = taken(loss).map((part) => `−${part}`);
  const code = loss.closeCode === undefined ? [] : [`code ${loss.closeCode}`];
  const [first = "lost"] = [...parts, ...code];
  const mark = make("div", { className: "loss" }, makeLabel([...parts, ...code], first));
  mark.title = `${clock(loss.at)} ${detailsOf(loss.entry, loss)}`;
  return mark;
}

/** @param needsLabel Whether no attempt has a label for the callers. */
export function callersMark(fan: SVGElement, needsLabel: boolean): HTMLElement {
  const mark = make("div", { className: "callers" });
  mark.append(fan, ...(needsLabel ? [makeLabel([`${CALLERS} callers`, "no dial"], "no dial")] : []));
  return mark;
}
