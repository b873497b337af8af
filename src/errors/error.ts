/**
 * Every error that the SDK throws. Decide by `code`; `instanceof` works too, also between the ESM and the CJS copy.
 * No message, field or cause contains a credential: causes are plain copies with URLs cut to scheme, host and path.
 */

/** Whether the server may have acted on the request that failed. */
export type Delivery =
  /** The request was not sent. Repeating it is safe. */
  | "not-sent"
  /** The request was sent, and no response arrived. It may or may not have run. */
  | "unknown"
  /** The server responded. */
  | "answered";

/** Every `code` of an {@link ExecServerError}. Codes are stable, messages are not. */
export type ErrorCode =
  /** {@link ConnectError}: the connection could not be established. */
  | "ERR_CONNECT"
  /** {@link TimeoutError}: `connectTimeoutMs` passed. */
  | "ERR_CONNECT_TIMEOUT"
  /** {@link TimeoutError}: `initializeTimeoutMs` passed. */
  | "ERR_INITIALIZE_TIMEOUT"
  /** {@link TimeoutError}: the `timeoutMs` of a call passed. */
  | "ERR_TIMEOUT"
  /** {@link DisconnectedError}: the connection ended after it had been established. */
  | "ERR_DISCONNECTED"
  /** {@link ClosedError}: the client was closed. */
  | "ERR_CLOSED"
  /** {@link ServerError}: the server rejected the request. */
  | "ERR_SERVER"
  /** {@link ProtocolError}: the server violated the protocol. */
  | "ERR_PROTOCOL"
  /** {@link ProcessExitError}: a command exited with a non-zero code. */
  | "ERR_PROCESS_EXIT"
  /** {@link OverflowError}: a buffer limit was exceeded. */
  | "ERR_OVERFLOW"
  /** {@link UsageError}: the call was invalid. */
  | UsageErrorCode;

/** Every `code` of a {@link UsageError}. */
export type UsageErrorCode =
  /** An argument or option is invalid. */
  | "ERR_INVALID_ARGUMENT"
  /** The standard input that `write()` needs was never open, or is closed; or the TCP connection is closed. */
  | "ERR_STDIN_CLOSED"
  /** The output is already read in another way. */
  | "ERR_OUTPUT_CLAIMED"
  /** The protocol, the server's system or this runtime does not support the operation. */
  | "ERR_UNSUPPORTED"
  /**
   * The server would not accept the request: it is above 15 MiB, or its HTTP body is above 11 MiB. Or a text is longer
   * than the runtime allows (512 MiB in Node).
   */
  | "ERR_TOO_LARGE";

/** What every error can have besides its message. */
export interface ErrorDetails {
  /** The session that the error belongs to. */
  readonly sessionId?: string | undefined;
  /** Set wherever a request was involved. */
  readonly delivery?: Delivery | undefined;
  /** The version of the server, if it reports it. */
  readonly serverVersion?: string | undefined;
  /** The error that caused this one. Errors of other libraries are replaced by redacted plain copies. */
  readonly cause?: unknown;
}

// A registered symbol, so that the ESM and the CJS copy, and two installed versions, recognise each other's errors.
const BRAND = Symbol.for("exec-server-sdk.error");

/**
 * The base class: `error instanceof ExecServerError` holds for every error that the SDK creates, also across the ESM and
 * the CJS copy. Decide by `code`; `delivery` tells whether the request may be repeated.
 *
 * @example
 * import { ExecServerError } from "exec-server-sdk";
 *
 * try {
 *   await client.run(["make", "deploy"], { cwd: "/work" });
 * } catch (error) {
 *   if (!(error instanceof ExecServerError)) throw error;
 *   if (error.delivery === "not-sent") console.log("Safe to repeat:", error.code);
 *   else console.log("It may have run:", error.code, error.message);
 * }
 */
export abstract class ExecServerError extends Error {
  /** @internal The brand of the class. A subclass without a brand is an ordinary class. */
  static readonly brand: string = "ExecServerError";

  /** The kind of failure. It is the same in every version, unlike the message. */
  abstract readonly code: ErrorCode;
  /** The session that the error belongs to. Missing if there was none yet. */
  declare readonly sessionId?: string;
  /** Whether the server may have acted on the request. Set wherever a request was involved. */
  declare readonly delivery?: Delivery;
  /** The version of the server. Missing before there was a connection, and for servers before 0.155. */
  declare readonly serverVersion?: string;
  /** The method that was called, such as `"readFile"` or `"run"`. Missing in errors that several callers share. */
  declare readonly operation?: string;
  /** For file operations: the path, as it was given. */
  declare readonly path?: string;
  /** For processes: the program, which is argv[0] up to its first space. */
  declare readonly program?: string;
  /** For processes: the working directory, if one was given. */
  declare readonly cwd?: string;
  /** For a write of a large file that failed or was aborted: the bytes from the file's start that had arrived. */
  declare readonly bytesWritten?: number;

  /** @param details Those that are not undefined become members of the same names. */
  constructor(message: string, { cause, ...details }: ErrorDetails = {}) {
    super(redactUrls(message), cause === undefined ? undefined : { cause: redactedCause(cause) });
    Object.defineProperties(this, {
      name: { value: new.target.brand, configurable: true, writable: true },
      [BRAND]: { value: new.target.brand },
    });
    for (const [name, value] of Object.entries(details)) {
      if (value !== undefined) (this as Record<string, unknown>)[name] = value;
    }
  }

  /**
   * True for the errors of every installed copy of the SDK, ESM or CJS.
   * @hidden
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (!Object.hasOwn(this, "brand")) return Function.prototype[Symbol.hasInstance].call(this, value);
    const brand = (value as { [BRAND]?: unknown } | null | undefined)?.[BRAND];
    return this.brand === "ExecServerError" ? typeof brand === "string" : brand === this.brand;
  }
}

/** Removes user info, query and fragment from every URL in a text. */
export function redactUrls(text: string): string {
  return text.replace(/:\/\/[^\s"<>]*/g, (url) => url.replace(/[?#].*$/s, "").replace(/:\/\/[^/]*@/g, "://"));
}

/** A copy of an error that contains no credential: its name, its code, and its message with redacted URLs. */
export function redactedCause(cause: unknown): unknown {
  // The SDK's errors contain no credential.
  if (cause instanceof ExecServerError) return cause;
  if (typeof cause !== "object" || cause === null)
    return { name: "Error", message: redactUrls(String(cause)) };
  const { name, code, message } = cause as { name?: unknown; code?: unknown; message?: unknown };
  return {
    name: typeof name === "string" ? name : "Error",
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    message: typeof message === "string" ? redactUrls(message) : "",
  };
}
