import { invalid } from "../internal/arguments.ts";
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  anObject,
  aString,
  checkOptions,
  either,
  milliseconds,
  oneOf,
  type Rules,
} from "../internal/option-rules.ts";
import type { KeepAliveOptions, ResolvedKeepAliveOptions } from "../rpc/keep-alive.ts";
import type { TraceContext } from "../rpc/request-frame.ts";
import type { Transport } from "../transport/transport.ts";
import type { NetworkPolicyHandler } from "./server-requests.ts";

/**
 * How a client reaches its server and identifies itself. An invalid option is a UsageError `ERR_INVALID_ARGUMENT`,
 * thrown before anything is dialled.
 */
export interface ClientOptions {
  /** How to reach the server: `webSocket()`, `stdio()`, `messagePort()` or a custom transport. */
  readonly transport: Transport;
  /** The name that the client sends to the server. @default "exec-server-sdk" */
  readonly clientName?: string | undefined;
  /**
   * Milliseconds until the connection must be open, an async target included. The attempt then fails with a
   * TimeoutError `ERR_CONNECT_TIMEOUT`. @default 10_000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Milliseconds from then until the server must have answered the handshake. The attempt then fails with a
   * TimeoutError `ERR_INITIALIZE_TIMEOUT`. @default 10_000
   */
  readonly initializeTimeoutMs?: number | undefined;
  /**
   * Detects a connection that is dead although its socket looks open, and ends it with a DisconnectedError. It does not
   * reconnect.
   *
   * After an interval without a frame it sends a probe: a WebSocket ping where the runtime has one, else
   * `environment/status`. Silence does not count while the page is hidden or this program does not run. Without pings,
   * it does not count either behind a request that the server may still be working on. `true` uses the defaults.
   * @default false
   */
  readonly keepAlive?: boolean | KeepAliveOptions | undefined;
  /** Decides what processes started with the option `network` may reach. A handler that fails denies. @default everything is denied */
  readonly onNetworkPolicyRequest?: NetworkPolicyHandler | undefined;
  /** Called for each request: the W3C trace context to send with it. Its errors are ignored. @default none */
  readonly traceContext?: (() => TraceContext | undefined) | undefined;
}

type Defaulted = "clientName" | "connectTimeoutMs" | "initializeTimeoutMs";

/** The options of a client that connects when it is used. */
export interface LazyClientOptions extends ClientOptions {
  /**
   * Which connection `fetch` uses.
   *
   * - `"shared"`: the one of all other operations, on which at most 32 HTTP requests are in flight. An aborted request
   *   stays in flight until the server ends it, and the server works on few requests at a time. Behind 7 aborted ones,
   *   a `fetch` waits for one second, and longer while others are not aborted. Then it rejects with an OverflowError
   *   `ERR_OVERFLOW`. Requests with `timeoutMs` end on the server, too.
   * - `"own"`: a second connection to the same server, made by the first `fetch` and replaced once it is lost, like the
   *   first. A slow origin holds up no other operation. The connection ends when all requests on it were aborted, which
   *   ends these requests. While one unread body is the only exchange on it, it is paused instead of failing beyond
   *   `maxBufferedBytes`, where the transport can pause. A transport that connects once, such as stdio, is shared.
   *
   * A server started without `--concurrent-requests` answers the requests of one connection one by one: on a shared
   * connection, everything waits behind an origin that has not answered, even after an abort.
   * @default "shared"
   */
  readonly fetchConnection?: "shared" | "own" | undefined;
}

export type ResolvedClientOptions = Omit<ClientOptions, Defaulted | "keepAlive"> & {
  readonly [Name in Defaulted]: NonNullable<ClientOptions[Name]>;
} & { readonly keepAlive: ResolvedKeepAliveOptions | undefined };

export type ResolvedLazyOptions = ResolvedClientOptions & Pick<LazyClientOptions, "fetchConnection">;

const RULES: Rules<ClientOptions> = {
  transport: (value) =>
    typeof (value as Partial<Transport> | null)?.connect === "function"
      ? undefined
      : "a transport, for example webSocket(url)",
  clientName: aString,
  connectTimeoutMs: milliseconds,
  initializeTimeoutMs: milliseconds,
  keepAlive: either(aBoolean, anObject),
  onNetworkPolicyRequest: aFunction,
  traceContext: aFunction,
};

const LAZY_RULES: Rules<LazyClientOptions> = { ...RULES, fetchConnection: oneOf("shared", "own") };

const CONNECT_RULES: Rules<ConnectOptions> = { ...RULES, signal: anAbortSignal };

const CONNECT_HINTS = {
  fetchConnection: "this client has one connection; use new LazyExecServerClient()",
};

const KEEP_ALIVE_RULES: Rules<KeepAliveOptions> = { intervalMs: milliseconds, timeoutMs: milliseconds };

/** Options of `ExecServerClient.connect()`. */
export interface ConnectOptions extends ClientOptions {
  /** Abandons the attempt with the signal's reason. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `LazyExecServerClient.get()`. */
export interface GetOptions {
  /** Ends this caller's wait with the signal's reason. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** Checks the options of `new LazyExecServerClient()` and fills in the defaults. */
export function resolveLazyOptions(options: LazyClientOptions): ResolvedLazyOptions {
  return {
    ...resolve("LazyExecServerClient()", options, LAZY_RULES),
    fetchConnection: options.fetchConnection,
  };
}

/** Checks the options of `ExecServerClient.connect()` and fills in the defaults. */
export function resolveConnectOptions(options: ConnectOptions): ResolvedClientOptions {
  return resolve("ExecServerClient.connect()", options, CONNECT_RULES, CONNECT_HINTS);
}

function resolve<Options extends ClientOptions>(
  caller: string,
  options: Options,
  rules: Rules<Options>,
  hints?: Readonly<Record<string, string>>,
): ResolvedClientOptions {
  // Required, unlike all others.
  const { transport } = options ?? {};
  if (transport === undefined)
    invalid(`${caller}: transport must be ${rules.transport(transport)}, got undefined`);
  checkOptions(caller, options, rules, hints);
  const { clientName = "exec-server-sdk", connectTimeoutMs = 10_000, initializeTimeoutMs = 10_000 } = options;
  return {
    ...options,
    transport,
    clientName,
    connectTimeoutMs,
    initializeTimeoutMs,
    keepAlive: resolveKeepAlive(options.keepAlive),
  };
}

function resolveKeepAlive(keepAlive: ClientOptions["keepAlive"]): ResolvedKeepAliveOptions | undefined {
  if (!keepAlive) return undefined;
  const given: KeepAliveOptions = keepAlive === true ? {} : keepAlive;
  checkOptions("keepAlive", given, KEEP_ALIVE_RULES);
  const { intervalMs = 30_000, timeoutMs = 10_000 } = given;
  return { intervalMs, timeoutMs };
}
