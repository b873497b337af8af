import type { IncomingMessage } from "node:http";
import { UsageError } from "../errors.ts";
import type { Transport } from "../transport/transport.ts";

type Awaitable<T> = T | PromiseLike<T>;

export interface GatewayOptions {
  /** How to reach the exec-server; a function is asked for each page, after it was admitted. */
  readonly upstream: Transport | ((request: IncomingMessage) => Awaitable<Transport>);
  /**
   * The pages that may connect, as exact origins (`https://ide.example`). There is no wildcard: whoever gets in can run
   * any command.
   */
  readonly allowedOrigins: readonly string[];
  /**
   * Who may connect: `{ token }` wants the page to send the token as a subprotocol beside {@link GATEWAY_PROTOCOL}; a
   * function decides itself, for example by a session cookie. It is asked before the exec-server is dialled.
   */
  readonly authorize: ((request: IncomingMessage) => Awaitable<boolean>) | { readonly token: string };
  /**
   * Host names under which the gateway is reached, with or without a port; behind a reverse proxy, its public name.
   * Loopback names and the address it listens on are always allowed by `listen`; `attach` needs at least one name here.
   * @default none
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** The only path that is served. @default "/" */
  readonly path?: string | undefined;
  /** Pages connected at once; further ones get 503. @default 100 */
  readonly maxConnections?: number | undefined;
  /** Milliseconds a request may take to arrive and be authorized. @default 10_000 */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Longest message from a page, in bytes; a longer one closes its socket with 1009. @default 16 MiB */
  readonly maxMessageBytes?: number | undefined;
}

/** The subprotocol that the gateway speaks. A page offers it, and its token beside it. */
export const GATEWAY_PROTOCOL = "exec-server-gateway";

export type CompleteGatewayOptions = {
  readonly [Name in keyof GatewayOptions]-?: NonNullable<GatewayOptions[Name]>;
};

/** Throws a UsageError for everything that would leave the door open, or shut for good. */
export function completeGatewayOptions(options: GatewayOptions): CompleteGatewayOptions {
  const { upstream, allowedOrigins, authorize } = options ?? {};
  if (typeof upstream !== "function" && typeof upstream?.connect !== "function") {
    return invalid("createGateway() needs an upstream: a transport, or a function that gives one");
  }
  if (!Array.isArray(allowedOrigins) || allowedOrigins.length === 0) {
    return invalid("createGateway() needs allowedOrigins: the exact origins of your pages");
  }
  for (const origin of allowedOrigins) {
    if (!isOrigin(origin))
      return invalid(`${JSON.stringify(origin)} is not an origin such as https://ide.example`);
  }
  if (typeof authorize !== "function" && !isToken((authorize as { token?: unknown } | undefined)?.token)) {
    return invalid("createGateway() needs authorize: a function, or { token } of letters, digits and -._~+");
  }
  return {
    upstream,
    allowedOrigins,
    authorize,
    allowedHosts: options.allowedHosts ?? [],
    path: options.path ?? "/",
    maxConnections: options.maxConnections ?? 100,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
    maxMessageBytes: options.maxMessageBytes ?? 16 * 1024 * 1024,
  };
}

/** Exactly as a browser writes it: scheme, host and port, nothing else, nothing to normalise. */
function isOrigin(origin: unknown): boolean {
  return typeof origin === "string" && URL.canParse(origin) && new URL(origin).origin === origin;
}

/** What can travel as a subprotocol. */
function isToken(token: unknown): boolean {
  return typeof token === "string" && /^[\w\-.~+]+$/.test(token);
}

function invalid(message: string): never {
  throw new UsageError("ERR_INVALID_ARGUMENT", message);
}
