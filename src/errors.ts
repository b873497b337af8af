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

/** What a server error is about, if its code or text says so. */
export type ServerErrorKind =
  /** There is no such file, directory, program or host. */
  | "not-found"
  /** There is something at the path already. */
  | "already-exists"
  /** A file is needed, and there is a directory. */
  | "not-a-file"
  /** A directory is needed, and there is a file. */
  | "not-a-directory"
  /** The directory has entries. */
  | "not-empty"
  /** The system or the sandbox does not permit it. */
  | "permission-denied"
  /** Nothing listens on a port. */
  | "refused"
  /** There is no way to a host. */
  | "unreachable"
  /** The other side of a TCP connection has reset it. */
  | "reset"
  /** The system has waited in vain for a host. */
  | "timed-out"
  /** The server does not have the method, or can't do it on its system. */
  | "unsupported"
  /** The server does not accept the params. */
  | "invalid";

/** Details of a {@link ServerError}. */
export interface ServerErrorDetails extends ErrorDetails {
  /** The JSON-RPC error code. */
  readonly rpcCode: number;
  /** Additional data from the server. */
  readonly data?: unknown;
  /** What the error is about. */
  readonly kind?: ServerErrorKind | undefined;
  /** For a start with kind `"not-found"`: what does not exist. */
  readonly missing?: "program" | "cwd" | undefined;
}

/**
 * The server rejected the request.
 *
 * @example
 * const motd = await client.fs.readFile("/work/motd", "utf8").catch((error) => {
 *   if (error.code === "ERR_SERVER" && error.kind === "not-found") return "";
 *   throw error;
 * });
 */
export class ServerError extends ExecServerError {
  static override readonly brand = "ServerError";
  readonly code = "ERR_SERVER";
  /** The JSON-RPC error code, for example -32602 for invalid params. */
  declare readonly rpcCode: number;
  /** Additional data from the server. */
  declare readonly data?: unknown;
  /** What the error is about. Missing if neither its code nor its text says so. */
  declare readonly kind?: ServerErrorKind;
  /** For a start with kind `"not-found"`: what does not exist. Missing if that is unknown. */
  declare readonly missing?: "program" | "cwd";

  constructor(message: string, details: ServerErrorDetails) {
    super(message, details);
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

/**
 * The outcome of a finished command. The output is text or bytes, depending on the option `encoding`.
 *
 * @category Processes
 */
export interface RunResult<Output extends string | Uint8Array = string> {
  /** 0 on success; negative on Windows for NTSTATUS codes; -1 if the server does not know it. */
  readonly exitCode: number;
  /** Everything that was written to standard output, untrimmed. */
  readonly stdout: Output;
  /** Everything that was written to standard error, untrimmed. */
  readonly stderr: Output;
  /** Whether the server's sandbox denied an operation of the command. */
  readonly sandboxDenied: boolean;
}

/**
 * The command of a `run` exited with a non-zero code. The error has the whole result; its message names the program and
 * the last line of standard error.
 *
 * @example
 * import { ProcessExitError } from "exec-server-sdk";
 *
 * await client.run(["ls", "/missing"]).catch((error: unknown) => {
 *   if (!(error instanceof ProcessExitError)) throw error;
 *   console.log(error.exitCode, error.stderr);
 * });
 * @typeParam Output The output: `string`, or `Uint8Array` with `encoding: "bytes"`.
 */
export class ProcessExitError<Output extends string | Uint8Array = string | Uint8Array>
  extends ExecServerError
  implements RunResult<Output>
{
  static override readonly brand = "ProcessExitError";
  readonly code = "ERR_PROCESS_EXIT";
  /** The result that `run` resolves with if `reject` is false. */
  readonly result: RunResult<Output>;

  /** @param lastLine The last line of standard error, for the message. */
  constructor(result: RunResult<NoInfer<Output>>, details?: ErrorDetails, lastLine?: string) {
    super(`The command exited with code ${result.exitCode}${lastLine ? `: ${lastLine}` : ""}`, details);
    this.result = result as RunResult<Output>;
  }

  /** As in the result. */
  get exitCode(): number {
    return this.result.exitCode;
  }
  /** As in the result. */
  get stdout(): Output {
    return this.result.stdout;
  }
  /** As in the result. */
  get stderr(): Output {
    return this.result.stderr;
  }
  /** As in the result. */
  get sandboxDenied(): boolean {
    return this.result.sandboxDenied;
  }
}

/**
 * A buffer limit was exceeded. Only the owner of that buffer fails.
 *
 * @example
 * client.run(["cat", "/var/log/huge.log"], { maxBufferedBytes: 1024 }).catch((error) => {
 *   if (error.code !== "ERR_OVERFLOW") throw error;
 *   console.log(`More than ${error.limit} bytes: start() it and read its stdout`);
 * });
 */
export class OverflowError extends ExecServerError {
  static override readonly brand = "OverflowError";
  readonly code = "ERR_OVERFLOW";
  /** The limit, in bytes; in requests, if a `fetch` got no place. */
  readonly limit: number;

  constructor(
    limit: number,
    details?: ErrorDetails,
    message = `More than ${limit} bytes were waiting to be read`,
  ) {
    super(message, details);
    this.limit = limit;
  }
}

/** Details of a {@link UsageError}. */
export interface UsageErrorDetails extends ErrorDetails {
  /** The feature that the server lacks, as in `client.supports(feature)`. */
  readonly feature?: string;
  /** The first version of the server that has the feature. */
  readonly requiredVersion?: string;
}

/**
 * A call was invalid. Nothing was sent.
 *
 * @example
 * client.fs.whenAppears(["/work/package.json"]).catch((error) => {
 *   if (error.code !== "ERR_UNSUPPORTED") throw error;
 *   console.log("Needs server", error.requiredVersion, "has", error.serverVersion);
 * });
 */
export class UsageError extends ExecServerError {
  static override readonly brand = "UsageError";
  readonly code: UsageErrorCode;
  /** For `ERR_UNSUPPORTED` by the server's version: the feature, as in `client.supports(feature)`. */
  declare readonly feature?: string;
  /** The first version of the server that has the feature. */
  declare readonly requiredVersion?: string;

  constructor(code: UsageErrorCode, message: string, details?: UsageErrorDetails) {
    super(message, details);
    this.code = code;
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
