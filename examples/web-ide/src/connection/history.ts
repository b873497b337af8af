import type { TimelineEntry } from "exec-server-sdk";

/** One attempt to connect, from the first caller to its outcome. */
export interface Attempt {
  readonly from: number;
  /** Missing while the attempt runs. */
  to?: number;
  /** Milliseconds of the attempt. */
  ms?: number;
  sessionId?: string;
  /** The code of the error, if it failed. */
  failure?: string;
  /** The entry of its outcome. */
  entry?: TimelineEntry;
}

export interface SessionSpan {
  readonly id: string;
  readonly from: number;
  /** Missing while the session lasts. */
  to?: number;
}

/** The end of a session, and what it took along. */
export interface Loss {
  readonly at: number;
  readonly sessionId: string;
  readonly calls: number;
  readonly processes: number;
  readonly bodies: number;
  readonly closeCode: number | undefined;
  readonly entry: TimelineEntry;
}

export interface History {
  readonly attempts: readonly Attempt[];
  readonly sessions: readonly SessionSpan[];
  readonly losses: readonly Loss[];
}

/** Finds the attempts, sessions and losses in the timeline of a client. */
export function historyOf(timeline: readonly TimelineEntry[]): History {
  const attempts: Attempt[] = [];
  const sessions: SessionSpan[] = [];
  const losses: Loss[] = [];
  for (const entry of timeline) {
    const { at, state, previous, sessionId = "", error } = entry;
    if (state === "connecting") attempts.push({ from: at });
    const attempt = attempts.at(-1);
    if (previous === "connecting" && attempt && attempt.to === undefined) {
      attempt.to = at;
      attempt.ms = at - attempt.from;
      attempt.entry = entry;
      if (state !== "connected") attempt.failure = error?.code ?? "abandoned";
    }
    if (state === "connected") {
      sessions.push({ id: sessionId, from: at });
      if (attempt) Object.assign(attempt, { sessionId, ms: millisecondsOf(entry) });
    }
    if (previous === "connected") {
      // The timeline has a limit, so the beginning of a long session can be missing.
      if (sessions.at(-1)?.id !== sessionId) sessions.push({ id: sessionId, from: timeline[0]?.at ?? at });
      Object.assign(sessions.at(-1) ?? {}, { to: at });
      losses.push(lossOf(entry));
    }
  }
  return { attempts, sessions, losses };
}

/** From the dial to the end of the handshake. */
function millisecondsOf({ dialMs = 0, handshakeMs = 0 }: TimelineEntry): number {
  return Math.round(dialMs + handshakeMs);
}

function lossOf(entry: TimelineEntry): Loss {
  const { at, sessionId = "", pending, error } = entry;
  const requests = Object.values(pending?.requests ?? {});
  return {
    at,
    sessionId,
    calls: requests.reduce((sum, count) => sum + count, 0),
    processes: pending?.processes ?? 0,
    bodies: pending?.bodies ?? 0,
    closeCode: error?.closeCode,
    entry,
  };
}
