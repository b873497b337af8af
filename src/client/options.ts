import { UsageError } from "../errors.ts";
import type { KeepAliveOptions, ResolvedKeepAliveOptions } from "../rpc/keep-alive.ts";
import type { TraceContext } from "../rpc/request-frame.ts";
import type { Transport } from "../transport/transport.ts";
import type { NetworkPolicyHandler } from "./server-requests.ts";

/**
 * How a client reaches its server and names itself. What can't work is a UsageError `ERR_INVALID_ARGUMENT`, before
 * anything is dialled.
 */
export interface ClientOptions {
  /** How to reach the server: `webSocket()`, `stdio()` or one of your own. */
  readonly transport: Transport;
  /** How this client names itself to the server. @default "exec-server-sdk" */
  readonly clientName?: string | undefined;
  /**
   * Milliseconds until there must be a connection, including what an async target takes; past them the attempt fails
   * with a TimeoutError `ERR_CONNECT_TIMEOUT`. @default 10_000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Milliseconds the server then has to answer the handshake; past them the attempt fails with a TimeoutError
   * `ERR_INITIALIZE_TIMEOUT`. @default 10_000
   */
  readonly initializeTimeoutMs?: number | undefined;
  /**
   * Finds out when a connection is dead although its socket looks open, and ends it with a
   * DisconnectedError; it never reconnects by itself.
   * When nothing has arrived for a while, the server is asked for a sign of life (a WebSocket ping where there is one,
   * else `environment/status`). Silence does not count while the page is hidden or this program is not running, nor,
   * where there is no ping, behind a request that the server may still be working on. `true` takes the defaults.
   * @default false
   */
  readonly keepAlive?: boolean | KeepAliveOptions | undefined;
  /** Decides what a process in the server's sandbox may reach; one that fails denies. @default everything is denied */
  readonly onNetworkPolicyRequest?: NetworkPolicyHandler | undefined;
  /** Asked for each request: the W3C trace context to send along. What it throws is ignored. @default none */
  readonly traceContext?: (() => TraceContext | undefined) | undefined;
}

type Defaulted = "clientName" | "connectTimeoutMs" | "initializeTimeoutMs";

export type ResolvedClientOptions = Omit<ClientOptions, Defaulted | "keepAlive"> & {
  readonly [Name in Defaulted]: NonNullable<ClientOptions[Name]>;
} & { readonly keepAlive: ResolvedKeepAliveOptions | undefined };

/** Fills in the defaults; throws a UsageError `ERR_INVALID_ARGUMENT` for what can't work. */
export function resolveOptions(options: ClientOptions): ResolvedClientOptions {
  const {
    transport,
    clientName = "exec-server-sdk",
    connectTimeoutMs = 10_000,
    initializeTimeoutMs = 10_000,
  } = options;
  if (typeof transport?.connect !== "function") {
    throw new UsageError("ERR_INVALID_ARGUMENT", "A client needs a transport, for example webSocket(url)");
  }
  const keepAlive = resolveKeepAlive(options.keepAlive);
  for (const [name, ms] of Object.entries({ connectTimeoutMs, initializeTimeoutMs, ...keepAlive })) {
    if (typeof ms !== "number" || !(ms > 0)) {
      throw new UsageError("ERR_INVALID_ARGUMENT", `${name} must be a positive number of milliseconds`);
    }
  }
  return { ...options, clientName, connectTimeoutMs, initializeTimeoutMs, keepAlive };
}

function resolveKeepAlive(keepAlive: ClientOptions["keepAlive"]): ResolvedKeepAliveOptions | undefined {
  if (!keepAlive) return undefined;
  const { intervalMs = 30_000, timeoutMs = 10_000 } = keepAlive === true ? {} : keepAlive;
  return { intervalMs, timeoutMs };
}
