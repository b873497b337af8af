import type { ClientState, TimelineEntry } from "exec-server-sdk";
import type { Loss } from "./history.ts";
import type { ServerHealth } from "./server-monitor.ts";

export interface Situation {
  readonly state: ClientState;
  readonly sessionId: string | undefined;
  readonly server: ServerHealth;
  /** The code of the latest attempt's error, if it failed. */
  readonly failure: string | undefined;
}

/** The state in words, and what comes next. */
export function describe(situation: Situation): { readonly text: string; readonly hint: string } {
  const { state, sessionId, server } = situation;
  switch (state) {
    case "connecting":
      return { text: "Connecting…", hint: "one attempt, shared by all callers" };
    case "connected":
      return {
        text: `Connected · ${short(sessionId)}`,
        hint: server === "frozen" ? "no answer: keepAlive ends this" : "one session for every caller",
      };
    case "closed":
      return { text: "Closed", hint: "reload the page for a new client" };
    default:
      return {
        text: state === "idle" ? "Not connected yet" : "Disconnected",
        hint: nextStep(situation),
      };
  }
}

function nextStep({ state, server, failure }: Situation): string {
  if (server === "unreachable") return "the page's own server is gone: start it";
  if (server === "frozen") return "the server is frozen: thaw it";
  if (server === "down") {
    return state === "idle" && failure
      ? "first attempt failed: start the server"
      : "the server is down: start it";
  }
  if (state === "idle")
    return failure ? "first attempt failed: try again" : "connects with your first action";
  return "your next action connects";
}

export const short = (sessionId: string | undefined): string => (sessionId ?? "").slice(0, 8);

/** `1 call`, `2 calls`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** What a loss took along, as `2 calls · 1 process`, or nothing. */
export function taken({ calls, processes, bodies }: Loss): string[] {
  return [
    ...(calls > 0 ? [count(calls, "call")] : []),
    ...(processes > 0 ? [processes === 1 ? "1 process" : `${processes} processes`] : []),
    ...(bodies > 0 ? [bodies === 1 ? "1 body" : `${bodies} bodies`] : []),
  ];
}

/** The details of a change: session, milliseconds, error, and what was lost. */
export function detailsOf(entry: TimelineEntry, loss: Loss | undefined): string {
  const { cause, sessionId, dialMs, handshakeMs, closedBy, error } = entry;
  const lost = loss ? taken(loss) : [];
  return [
    ...(cause ? [cause] : []),
    ...(sessionId ? [short(sessionId)] : []),
    ...(dialMs === undefined ? [] : [`dial ${milliseconds(dialMs)}`]),
    ...(handshakeMs === undefined ? [] : [`handshake ${milliseconds(handshakeMs)}`]),
    ...(error ? [error.code] : []),
    ...(error?.closeCode === undefined ? [] : [`close code ${error.closeCode}`]),
    ...(closedBy ? [`closed by ${closedBy}`] : []),
    ...(lost.length > 0 ? [`took along ${lost.join(", ")}`] : []),
  ].join(" · ");
}

/** `3.4 ms`, `34 ms`, `3.4 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
}

export const clock = (at: number): string => new Date(at).toLocaleTimeString(undefined, { hour12: false });
