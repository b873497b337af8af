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
  /** Decides what a process in the server's sandbox may reach. A handler that fails denies. @default everything is denied */
  readonly onNetworkPolicyRequest?: NetworkPolicyHandler | undefined;
  /** Called for each request: the W3C trace context to send with it. Its errors are ignored. @default none */
  readonly traceContext?: (() => TraceContext | undefined) | undefined;
}

type Defaulted = "clientName" | "connectTimeoutMs" | "initializeTimeoutMs";

export type ResolvedClientOptions = Omit<ClientOptions, Defaulted | "keepAlive"> & {
  readonly [Name in Defaulted]: NonNullable<ClientOptions[Name]>;
} & { readonly keepAlive: ResolvedKeepAliveOptions | undefined };

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

const CONNECT_RULES: Rules<ConnectOptions> = { ...RULES, signal: anAbortSignal };

const KEEP_ALIVE_RULES: Rules<KeepAliveOptions> = { intervalMs: milliseconds, timeoutMs: milliseconds };

/**
 * The options of `ExecServerClient.connect()`.
 * @inline
 */
export type ConnectOptions = ClientOptions & {
  /** Abandons the attempt with the signal's reason. @default none */
  readonly signal?: AbortSignal | undefined;
};

/** Checks the options of `new LazyExecServerClient()` and fills in the defaults. */
export function resolveLazyOptions(options: ClientOptions): ResolvedClientOptions {
  return resolve("LazyExecServerClient()", options, RULES);
}

/** Checks the options of `ExecServerClient.connect()` and fills in the defaults. */
export function resolveConnectOptions(options: ConnectOptions): ResolvedClientOptions {
  return resolve("ExecServerClient.connect()", options, CONNECT_RULES);
}

function resolve<Options extends ClientOptions>(
  caller: string,
  options: Options,
  rules: Rules<Options>,
): ResolvedClientOptions {
  // Required, unlike all others.
  const { transport } = options ?? {};
  if (transport === undefined)
    invalid(`${caller}: transport must be ${rules.transport(transport)}, got undefined`);
  checkOptions(caller, options, rules);
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
