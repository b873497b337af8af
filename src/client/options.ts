import { invalid, received } from "../internal/arguments.ts";
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

/** Fills in the defaults. Throws a UsageError `ERR_INVALID_ARGUMENT` for an invalid option. */
export function resolveOptions(options: ClientOptions): ResolvedClientOptions {
  const {
    transport,
    clientName = "exec-server-sdk",
    connectTimeoutMs = 10_000,
    initializeTimeoutMs = 10_000,
  } = options;
  if (typeof transport?.connect !== "function") {
    return invalid(`transport must be a transport, for example webSocket(url), got ${received(transport)}`);
  }
  checkTimes({ connectTimeoutMs, initializeTimeoutMs });
  return {
    ...options,
    clientName,
    connectTimeoutMs,
    initializeTimeoutMs,
    keepAlive: resolveKeepAlive(options.keepAlive),
  };
}

function resolveKeepAlive(keepAlive: ClientOptions["keepAlive"]): ResolvedKeepAliveOptions | undefined {
  if (!keepAlive) return undefined;
  const { intervalMs = 30_000, timeoutMs = 10_000 } = keepAlive === true ? {} : keepAlive;
  checkTimes({ "keepAlive.intervalMs": intervalMs, "keepAlive.timeoutMs": timeoutMs });
  return { intervalMs, timeoutMs };
}

function checkTimes(times: Readonly<Record<string, number>>): void {
  for (const [name, ms] of Object.entries(times)) {
    if (typeof ms !== "number" || !(ms > 0)) {
      invalid(`${name} must be a positive number of milliseconds, got ${received(ms)}`);
    }
  }
}
