import { type ErrorDetails, ExecServerError, redactUrls } from "./error.ts";

/** The phase in which an attempt to connect failed: before there was a connection, or during the handshake. */
export type ConnectPhase = "dial" | "initialize";

/** Details of a {@link ConnectError}. */
export interface ConnectErrorDetails extends ErrorDetails {
  /** Where the attempt failed. */
  readonly phase: ConnectPhase;
  /** HTTP status of a refused upgrade. */
  readonly status?: number | undefined;
  /** WebSocket close code. */
  readonly closeCode?: number | undefined;
}

/**
 * The connection could not be established.
 *
 * @example
 * client.get().catch((error) => {
 *   if (error.code === "ERR_CONNECT" && error.status === 401) console.log("The token is wrong");
 *   else if (error.code === "ERR_CONNECT") console.log("Not reachable:", error.phase, error.closeCode);
 *   else throw error;
 * });
 */
export class ConnectError extends ExecServerError {
  static override readonly brand = "ConnectError";
  readonly code = "ERR_CONNECT";
  /** `dial`: the connection did not open. `initialize`: it opened, but the handshake did not complete. */
  declare readonly phase: ConnectPhase;
  /** HTTP status of a refused upgrade, if the runtime reports it: `ws`, Bun and Deno do, browsers and Node's own WebSocket do not. */
  declare readonly status?: number;
  /** WebSocket close code. */
  declare readonly closeCode?: number;

  constructor(message: string, details: ConnectErrorDetails) {
    super(message, details);
  }
}

/** Which deadline passed: `connectTimeoutMs`, `initializeTimeoutMs`, or the `timeoutMs` of a call. */
export type TimeoutErrorCode = "ERR_CONNECT_TIMEOUT" | "ERR_INITIALIZE_TIMEOUT" | "ERR_TIMEOUT";

/**
 * A deadline passed.
 *
 * @example
 * import { TimeoutError } from "exec-server-sdk";
 *
 * await client.run(["sh", "-c", "echo half; sleep 5"], { timeoutMs: 200 }).catch((error: unknown) => {
 *   if (!(error instanceof TimeoutError) || error.code !== "ERR_TIMEOUT") throw error;
 *   console.log("So far:", error.stdout);
 * });
 * @typeParam Output The output of a `run`: `string`, or `Uint8Array` with `encoding: "bytes"`.
 */
export class TimeoutError<
  Output extends string | Uint8Array = string | Uint8Array<ArrayBuffer>,
> extends ExecServerError {
  static override readonly brand = "TimeoutError";
  readonly code: TimeoutErrorCode;
  /** What a command had written to standard output when its `run` timed out: text or bytes, as in its result. */
  declare readonly stdout?: Output;
  /** The same for standard error. */
  declare readonly stderr?: Output;

  constructor(code: TimeoutErrorCode, message: string, details?: ErrorDetails) {
    super(message, details);
    this.code = code;
  }
}

/** Details of a {@link DisconnectedError}. */
export interface DisconnectedErrorDetails extends ErrorDetails {
  /** WebSocket close code. */
  readonly closeCode?: number | undefined;
}

/**
 * The connection ended after it had been established.
 *
 * @example
 * const session = await client.get();
 * session.run(["sleep", "60"]).catch((error) => {
 *   if (error.code !== "ERR_DISCONNECTED") throw error;
 *   console.log(error.reason, error.closeCode, error.delivery); // "unknown": it may still run there
 * });
 */
export class DisconnectedError extends ExecServerError {
  static override readonly brand = "DisconnectedError";
  readonly code = "ERR_DISCONNECTED";
  /** Why the connection ended, as text. */
  readonly reason: string;
  /** WebSocket close code; 1006 means that the connection broke without a close frame. */
  declare readonly closeCode?: number;

  constructor(reason: string, details: DisconnectedErrorDetails = {}) {
    super(`The exec-server connection ended: ${reason}`, details);
    this.reason = redactUrls(reason);
  }
}

/**
 * The client was closed with `close()`.
 *
 * @example
 * client.status().catch((error) => {
 *   if (error.code !== "ERR_CLOSED") throw error; // closing ends what is pending
 * });
 */
export class ClosedError extends ExecServerError {
  static override readonly brand = "ClosedError";
  readonly code = "ERR_CLOSED";

  constructor(details?: ErrorDetails) {
    super("The exec-server client was closed", details);
  }
}

/**
 * The server violated the protocol, or the peer is no exec-server.
 *
 * @example
 * client.get().catch((error) => {
 *   if (error.code === "ERR_PROTOCOL") console.log("No exec-server answers there:", error.message);
 *   else throw error;
 * });
 */
export class ProtocolError extends ExecServerError {
  static override readonly brand = "ProtocolError";
  readonly code = "ERR_PROTOCOL";
}
