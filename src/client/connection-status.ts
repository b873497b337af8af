import { type ErrorCode, ExecServerError } from "../errors.ts";
import { Listeners } from "../internal/listeners.ts";
import type { Session, SessionEnding } from "./session.ts";

/**
 * The state of a lazy client: it has never connected, is in an attempt, has a live connection, has lost one, or is
 * closed for good.
 */
export type ClientState = "idle" | "connecting" | "connected" | "disconnected" | "closed";

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

/** One change of a client's state, as plain data for logs and reports. It contains no credential. */
export interface TimelineEntry extends Partial<SessionEnding> {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The new state. */
  readonly state: ClientState;
  /** The state before. */
  readonly previous: ClientState;
  /** For "connecting": the first attempt, an attempt after a failed one, or an attempt after a lost connection. */
  readonly cause?: "first-use" | "retry" | "reconnect";
  /** The session that was made or lost. */
  readonly sessionId?: string;
  /** For "connected": milliseconds until the connection was open. */
  readonly dialMs?: number;
  /** For "connected": milliseconds from then to the end of the handshake. */
  readonly handshakeMs?: number;
  /** Why an attempt failed or the connection ended. */
  readonly error?: {
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
  };
}

const MAX_ENTRIES = 100;

/** The state of a lazy client, its listeners and its timeline. */
export class ConnectionStatus {
  readonly #listeners = new Listeners<StateChange>();
  readonly #timeline: TimelineEntry[] = [];
  #state: ClientState = "idle";

  get state(): ClientState {
    return this.#state;
  }

  /** The newest 100 entries, oldest first. */
  get timeline(): readonly TimelineEntry[] {
    return [...this.#timeline];
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
    const index = this.#timeline.findIndex(
      (entry) => entry.sessionId === session.id && entry.previous === "connected",
    );
    const entry = this.#timeline[index];
    if (entry && !entry.closedBy) {
      this.#timeline[index] = { ...entry, ...session.ending, error: summaryOf(error) };
    }
  }

  #record({ state, previous, sessionId, error }: StateChange, session: Session | undefined): void {
    this.#timeline.push({
      at: Date.now(),
      state,
      previous,
      ...(state === "connecting" ? { cause: this.#causeAfter(previous) } : {}),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(state === "connected" ? session?.timings : {}),
      ...(previous === "connected" ? session?.ending : {}),
      ...(error ? { error: summaryOf(error) } : {}),
    });
    if (this.#timeline.length > MAX_ENTRIES) this.#timeline.shift();
  }

  #causeAfter(previous: ClientState): NonNullable<TimelineEntry["cause"]> {
    if (this.#timeline.at(-1)?.previous === "connecting") return "retry";
    return previous === "idle" ? "first-use" : "reconnect";
  }
}

function summaryOf(error: ExecServerError): NonNullable<TimelineEntry["error"]> {
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
