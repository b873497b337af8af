import type { ExecServerError } from "../errors.ts";

export type ClientState = "idle" | "connecting" | "connected" | "disconnected" | "closed";

export interface StateChange {
  readonly state: ClientState;
  readonly previous: ClientState;
  /** The session that was made or lost. */
  readonly sessionId?: string;
  /** Why an attempt failed or the connection ended; missing for a loss that was noticed before its end was told. */
  readonly error?: ExecServerError;
}
