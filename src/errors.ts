/**
 * Every error the SDK throws. Decide by `code`; `instanceof` works too, also between the ESM and the CJS copy.
 * No message, field or cause holds a credential: causes are plain copies with URLs cut to scheme, host and path.
 */

/** Whether the server may have acted on the request that failed. */
export type Delivery =
  /** It never left this machine: asking again is safe. */
  | "not-sent"
  /** It was sent and no answer came: it may or may not have run. */
  | "unknown"
  /** The server answered. */
  | "answered";

/** Every `code` of an {@link ExecServerError}: what to decide by. */
export type ErrorCode =
  | "ERR_CONNECT"
  | "ERR_CONNECT_TIMEOUT"
  | "ERR_INITIALIZE_TIMEOUT"
  | "ERR_TIMEOUT"
  | "ERR_DISCONNECTED"
  | "ERR_CLOSED"
  | "ERR_SERVER"
  | "ERR_PROTOCOL"
  | "ERR_PROCESS_EXIT"
  | "ERR_OVERFLOW"
  | UsageErrorCode;

/** Which mistake a {@link UsageError} is about. */
export type UsageErrorCode =
  /** An argument or option that can't work. */
  | "ERR_INVALID_ARGUMENT"
  /** `write()` to a process that takes no input, or no more. */
  | "ERR_STDIN_CLOSED"
  /** The output is already being read the other way. */
  | "ERR_OUTPUT_CLAIMED"
  /** The protocol, the server's system or this runtime can't do it. */
  | "ERR_UNSUPPORTED"
  /** A request that the server would not take: one above 15 MiB, or with an HTTP body above 11 MiB. */
  | "ERR_TOO_LARGE";

/** What the errors have in common besides their message. */
export interface ErrorDetails {
  /** The session the error belongs to. */
  readonly sessionId?: string | undefined;
  /** Set wherever a request was involved. */
  readonly delivery?: Delivery | undefined;
  /** What led here. An error of another library is kept as a redacted plain copy. */
  readonly cause?: unknown;
}

// Registered symbol: the ESM and the CJS copy of this file, and two installed versions, recognise each other's errors.
const BRAND = Symbol.for("exec-server-sdk.error");

/** The common base; `error instanceof ExecServerError` holds for everything the SDK throws on its own account. */
export abstract class ExecServerError extends Error {
  /** @internal The brand of the class; a subclass without its own is an ordinary class. */
  static readonly brand: string = "ExecServerError";

  /** What went wrong; the same in every version, unlike the message. */
  abstract readonly code: ErrorCode;
  /** The session the error belongs to; missing where there was none yet. */
  declare readonly sessionId?: string;
  /** Whether the server may have acted; set wherever a request was involved. */
  declare readonly delivery?: Delivery;
  /** How much of a large file had arrived, in bytes from its start, when a write failed or was aborted. */
  declare readonly bytesWritten?: number;

  /** @param details Become members of the same names, unless they are undefined. */
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

  /** Holds for the errors of every installed copy of the SDK, ESM or CJS. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (!Object.hasOwn(this, "brand")) return Function.prototype[Symbol.hasInstance].call(this, value);
    const brand = (value as { [BRAND]?: unknown } | null | undefined)?.[BRAND];
    return this.brand === "ExecServerError" ? typeof brand === "string" : brand === this.brand;
  }
}

/** How far an attempt to connect had come: to no connection yet, or to the handshake. */
export type ConnectPhase = "dial" | "initialize";

/** The connection could not be established. */
export class ConnectError extends ExecServerError {
  static override readonly brand = "ConnectError";
  readonly code = "ERR_CONNECT";
  /** `dial`: no connection yet; `initialize`: connected, but the handshake did not complete. */
  declare readonly phase: ConnectPhase;
  /** HTTP status of a refused upgrade, where the runtime tells it: `ws`, Bun and Deno do, browsers and Node's own WebSocket do not. */
  declare readonly status?: number;
  /** WebSocket close code. */
  declare readonly closeCode?: number;

  constructor(
    message: string,
    details: ErrorDetails & {
      phase: ConnectPhase;
      status?: number | undefined;
      closeCode?: number | undefined;
    },
  ) {
    super(message, details);
  }
}

/** Which deadline passed: `connectTimeoutMs`, `initializeTimeoutMs`, or the `timeoutMs` of a call. */
export type TimeoutErrorCode = "ERR_CONNECT_TIMEOUT" | "ERR_INITIALIZE_TIMEOUT" | "ERR_TIMEOUT";

/** A stated deadline passed. */
export class TimeoutError extends ExecServerError {
  static override readonly brand = "TimeoutError";
  readonly code: TimeoutErrorCode;
  /** What a command had printed when its `run` took too long, as text or bytes like its result. */
  declare readonly stdout?: string | Uint8Array<ArrayBuffer>;
  /** The same of standard error. */
  declare readonly stderr?: string | Uint8Array<ArrayBuffer>;

  constructor(code: TimeoutErrorCode, message: string, details?: ErrorDetails) {
    super(message, details);
    this.code = code;
  }
}

/** The connection ended after it had been established. */
export class DisconnectedError extends ExecServerError {
  static override readonly brand = "DisconnectedError";
  readonly code = "ERR_DISCONNECTED";
  /** Why, in words. */
  readonly reason: string;
  /** WebSocket close code; 1006 means that the connection broke without a goodbye. */
  declare readonly closeCode?: number;

  constructor(reason: string, details: ErrorDetails & { closeCode?: number | undefined } = {}) {
    super(`The exec-server connection ended: ${reason}`, details);
    this.reason = redactUrls(reason);
  }
}

/** You closed the client. */
export class ClosedError extends ExecServerError {
  static override readonly brand = "ClosedError";
  readonly code = "ERR_CLOSED";

  constructor(details?: ErrorDetails) {
    super("The exec-server client was closed", details);
  }
}

/** What a server error is about, where its code or text tells. */
export type ServerErrorKind =
  | "not-found"
  | "already-exists"
  | "not-a-file"
  | "not-a-directory"
  | "not-empty"
  | "permission-denied"
  | "unsupported"
  | "invalid";

/** The server rejected the request. */
export class ServerError extends ExecServerError {
  static override readonly brand = "ServerError";
  readonly code = "ERR_SERVER";
  /** The JSON-RPC error code, for example -32602 for invalid params. */
  declare readonly rpcCode: number;
  /** Extra data the server sent along. */
  declare readonly data?: unknown;
  /** What it is about; missing where neither code nor text tells. */
  declare readonly kind?: ServerErrorKind;

  constructor(
    message: string,
    details: ErrorDetails & { rpcCode: number; data?: unknown; kind?: ServerErrorKind | undefined },
  ) {
    super(message, details);
  }
}

/** The server broke the protocol. */
export class ProtocolError extends ExecServerError {
  static override readonly brand = "ProtocolError";
  readonly code = "ERR_PROTOCOL";
}

/** The outcome of a finished command; text or bytes by the `encoding` asked for. */
export interface RunResult<Output extends string | Uint8Array = string> {
  /** 0 on success; negative on Windows for NTSTATUS codes; -1 when the server does not know it. */
  readonly exitCode: number;
  /** Everything written to standard output, untrimmed. */
  readonly stdout: Output;
  /** Everything written to standard error, untrimmed. */
  readonly stderr: Output;
  /** Whether the server's sandbox refused something the command tried. */
  readonly sandboxDenied: boolean;
}

/** `run` ended with a non-zero exit code; carries the whole result. */
export class ProcessExitError extends ExecServerError implements RunResult<string | Uint8Array> {
  static override readonly brand = "ProcessExitError";
  readonly code = "ERR_PROCESS_EXIT";
  /** The outcome as `run` returns it with `reject: false`. */
  readonly result: RunResult<string | Uint8Array>;

  constructor(result: RunResult<string | Uint8Array>, details?: ErrorDetails) {
    super(`The command exited with code ${result.exitCode}`, details);
    this.result = result;
  }

  get exitCode(): number {
    return this.result.exitCode;
  }
  get stdout(): string | Uint8Array {
    return this.result.stdout;
  }
  get stderr(): string | Uint8Array {
    return this.result.stderr;
  }
  get sandboxDenied(): boolean {
    return this.result.sandboxDenied;
  }
}

/** A stated buffer limit was passed; only the owner of that buffer fails. */
export class OverflowError extends ExecServerError {
  static override readonly brand = "OverflowError";
  readonly code = "ERR_OVERFLOW";
  /** The limit, in bytes. */
  readonly limit: number;

  constructor(limit: number, details?: ErrorDetails) {
    super(`More than ${limit} bytes were waiting to be read`, details);
    this.limit = limit;
  }
}

/** A mistake in the call, caught before anything is sent. */
export class UsageError extends ExecServerError {
  static override readonly brand = "UsageError";
  readonly code: UsageErrorCode;

  constructor(code: UsageErrorCode, message: string, details?: ErrorDetails) {
    super(message, details);
    this.code = code;
  }
}

/** Cuts user info, query and fragment out of every URL in a text. */
export function redactUrls(text: string): string {
  return text.replace(/:\/\/[^\s"<>]*/g, (url) => url.replace(/[?#].*$/s, "").replace(/:\/\/[^/]*@/g, "://"));
}

/** What may be shown of any error. */
export function redactedCause(cause: unknown): unknown {
  // Ours hold no secrets by construction.
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
