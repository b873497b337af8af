import { type ErrorCode, ExecServerError } from "../errors/error.ts";
import { Listeners } from "../internal/listeners.ts";
import type { ConnectionPurpose, Session, SessionEnding } from "./session.ts";

/** The state of a lazy client. */
export type ClientState =
  /** It has never connected. */
  | "idle"
  /** It is in an attempt. One that fails or is abandoned leads back to the state before. */
  | "connecting"
  /** It has a live connection. */
  | "connected"
  /** It has lost its connection. */
  | "disconnected"
  /** It is closed for good. */
  | "closed";

/** One change of a lazy client's state. */
export interface StateChange {
  /** The new state. */
  readonly state: ClientState;
  /** The state before, which is a different one. */
  readonly previous: ClientState;
  /** The session that was made or lost. */
  readonly sessionId?: string;
  /** Why an attempt failed or the connection ended. Missing for a loss that is noticed before its close event. */
  readonly error?: ExecServerError;
}

/** Why an attempt failed or a connection ended, as plain data. */
export interface TimelineError {
  /** The class of the error. */
  readonly name: string;
  /** The code of the error. */
  readonly code: ErrorCode;
  /** The message of the error. */
  readonly message: string;
  /** WebSocket close code. */
  readonly closeCode?: number;
  /** HTTP status of a refused upgrade. */
  readonly status?: number;
}

/** One change of a client's state, as plain data for logs and reports. It contains no credential. */
export interface TimelineEntry extends Partial<SessionEnding> {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Set for a change of the second connection, which `fetchConnection: "own"` makes. */
  readonly purpose?: "fetch";
  /** The new state. */
  readonly state: ClientState;
  /** The state before, of the same connection. */
  readonly previous: ClientState;
  /** For "connecting": the first attempt, an attempt after a failed one, or an attempt after a lost connection. */
  readonly cause?: "first-use" | "retry" | "reconnect";
  /** The session that was made or lost. */
  readonly sessionId?: string;
  /** The version of the server of that session, if it reports it. */
  readonly serverVersion?: string;
  /** For "connected": milliseconds until the connection was open. */
  readonly dialMs?: number;
  /** For "connected": milliseconds from then to the end of the handshake. */
  readonly handshakeMs?: number;
  /** Why an attempt failed or the connection ended. */
  readonly error?: TimelineError;
}

const MAX_ENTRIES = 100;

/** The changes of all connections of a client. */
export class Timeline {
  readonly #entries: TimelineEntry[] = [];

  /** The newest 100 entries, oldest first. */
  get entries(): readonly TimelineEntry[] {
    return [...this.#entries];
  }

  add(entry: TimelineEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
  }

  /** Completes the entry of a loss that was noticed before its close event. */
  completeLoss(session: Session, error: ExecServerError): void {
    const index = this.#entries.findIndex(
      (entry) => entry.sessionId === session.id && entry.previous === "connected",
    );
    const entry = this.#entries[index];
    if (entry && !entry.closedBy) {
      this.#entries[index] = { ...entry, ...session.ending, error: summaryOf(error) };
    }
  }
}

/** The state of one connection of a lazy client, with its listeners. Its changes stand in the timeline. */
export class ConnectionStatus {
  readonly purpose: ConnectionPurpose | undefined;
  readonly #timeline: Timeline;
  readonly #listeners = new Listeners<StateChange>();
  #state: ClientState = "idle";
  /** The state before the latest change. */
  #previous: ClientState = "idle";

  constructor(timeline: Timeline, purpose?: ConnectionPurpose) {
    this.#timeline = timeline;
    this.purpose = purpose;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Returns a function that removes the listener. */
  onChange(listener: (change: StateChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Changes the state, records the change and notifies the listeners. Nothing changes "closed".
   *
   * @param session The session that was made or lost. `error` counts if it is one of the SDK's.
   */
  change(state: ClientState, session?: Session, error?: unknown): void {
    const previous = this.#state;
    if (state === previous || previous === "closed") return;
    this.#state = state;
    const change: StateChange = {
      state,
      previous,
      ...(session ? { sessionId: session.id } : {}),
      ...(error instanceof ExecServerError ? { error } : {}),
    };
    this.#record(change, session);
    this.#listeners.emit(change);
  }

  /** Completes the entry of a loss that was noticed before its close event. */
  completeLoss(session: Session, error: ExecServerError): void {
    this.#timeline.completeLoss(session, error);
  }

  #record({ state, previous, sessionId, error }: StateChange, session: Session | undefined): void {
    this.#timeline.add({
      at: Date.now(),
      ...(this.purpose ? { purpose: this.purpose } : {}),
      state,
      previous,
      ...(state === "connecting" ? { cause: this.#causeAfter(previous) } : {}),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(session?.server?.version === undefined ? {} : { serverVersion: session.server.version }),
      ...(state === "connected" ? session?.timings : {}),
      ...(previous === "connected" ? session?.ending : {}),
      ...(error ? { error: summaryOf(error) } : {}),
    });
    this.#previous = previous;
  }

  #causeAfter(previous: ClientState): NonNullable<TimelineEntry["cause"]> {
    if (this.#previous === "connecting") return "retry";
    return previous === "idle" ? "first-use" : "reconnect";
  }
}

function summaryOf(error: ExecServerError): TimelineError {
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
