import type { ExecServerError } from "../errors.ts";

/**
 * Where a lazy client stands: never connected, in an attempt, with a live connection, after the end of one, or closed
 * for good.
 */
export type ClientState = "idle" | "connecting" | "connected" | "disconnected" | "closed";

/** One change of a lazy client's state. */
export interface StateChange {
  /** The state it is in now. */
  readonly state: ClientState;
  /** The state it was in before; never the same. */
  readonly previous: ClientState;
  /** The session that was made or lost. */
  readonly sessionId?: string;
  /** Why an attempt failed or the connection ended; missing for a loss that was noticed before its end was told. */
  readonly error?: ExecServerError;
}
