import type { ErrorCode, ExecServerError } from "../errors.ts";
import type { Session, SessionEnding } from "./session.ts";
import type { ClientState, StateChange } from "./state.ts";

/** One change of a client's state, as plain data that can be logged or attached to a report: it holds no credential. */
export interface TimelineEntry extends Partial<SessionEnding> {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The state it came to. */
  readonly state: ClientState;
  /** The state it came from. */
  readonly previous: ClientState;
  /** Of "connecting": it is the first attempt, the one before has failed, or a connection was lost. */
  readonly cause?: "first-use" | "retry" | "reconnect";
  /** The session that was made or lost. */
  readonly sessionId?: string;
  /** Of "connected": milliseconds until there was a connection. */
  readonly dialMs?: number;
  /** Of "connected": milliseconds that the handshake then took. */
  readonly handshakeMs?: number;
  /** Why an attempt failed or the connection ended. */
  readonly error?: {
    /** The class of the error. */
    readonly name: string;
    /** What to decide by. */
    readonly code: ErrorCode;
    /** What happened, in words. */
    readonly message: string;
    /** WebSocket close code. */
    readonly closeCode?: number;
    /** HTTP status of a refused upgrade. */
    readonly status?: number;
  };
}

const MAX_ENTRIES = 100;

/** What happened to a lazy client lately. */
export class Timeline {
  readonly #entries: TimelineEntry[] = [];

  get entries(): readonly TimelineEntry[] {
    return [...this.#entries];
  }

  /** @param session The one that was made or lost. */
  add({ state, previous, sessionId, error }: StateChange, session: Session | undefined): void {
    this.#entries.push({
      at: Date.now(),
      state,
      previous,
      ...(state === "connecting" ? { cause: this.#causeAfter(previous) } : {}),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(state === "connected" ? session?.timings : {}),
      ...(previous === "connected" ? session?.ending : {}),
      ...(error ? { error: plain(error) } : {}),
    });
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
  }

  /** The end of a session is told: completes the entry of a loss that was noticed earlier. */
  complete(session: Session, error: ExecServerError): void {
    const index = this.#entries.findIndex(
      (entry) => entry.sessionId === session.id && entry.previous === "connected",
    );
    const entry = this.#entries[index];
    if (entry && !entry.closedBy) this.#entries[index] = { ...entry, ...session.ending, error: plain(error) };
  }

  #causeAfter(previous: ClientState): NonNullable<TimelineEntry["cause"]> {
    if (this.#entries.at(-1)?.previous === "connecting") return "retry";
    return previous === "idle" ? "first-use" : "reconnect";
  }
}

function plain(error: ExecServerError): NonNullable<TimelineEntry["error"]> {
  const { name, code, message, closeCode, status } = error as ExecServerError & {
    closeCode?: number;
    status?: number;
  };
  return {
    name,
    code,
    message,
    ...(closeCode === undefined ? {} : { closeCode }),
    ...(status === undefined ? {} : { status }),
  };
}
