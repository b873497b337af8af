import type { IncomingMessage } from "node:http";
import type { Awaitable } from "../internal/awaitable.ts";
import type { Transport } from "../transport/transport.ts";

/** Who gets in, and to which exec-server. What would leave the door open is a UsageError `ERR_INVALID_ARGUMENT`. */
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
  readonly authorize:
    | ((request: IncomingMessage) => Awaitable<boolean>)
    | {
        /** Letters, digits and `-._~+`. */
        readonly token: string;
      };
  /**
   * Host names under which the gateway is reached, with or without a port; behind a reverse proxy, its public name.
   * Loopback names are always allowed, and so is the address that `listen` is given.
   * @default none
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** The only path that is served; a query behind it is yours to read. @default "/" */
  readonly path?: string | undefined;
  /** Pages connected at once; further ones get 503. @default 100 */
  readonly maxConnections?: number | undefined;
  /** Milliseconds a request may take to arrive, and again to be authorized. @default 10_000 */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Longest message from a page, in bytes; a longer one closes its socket with 1009. @default 16 MiB */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Longest message from the exec-server, in characters; a longer one closes the page's socket with 4003. The
   * built-in transports allow no more than the default. @default 64 MiB
   */
  readonly maxUpstreamMessageBytes?: number | undefined;
  /**
   * Milliseconds between two pings, which keep an idle socket open through reverse proxies. A page that has answered
   * none of four is gone. @default 30_000
   */
  readonly heartbeatMs?: number | undefined;
  /** Told when a page was connected and when it is gone; for a log. What it throws is ignored. @default nobody */
  readonly onPage?: ((event: PageEvent) => void) | undefined;
}

/** What a gateway tells of a page. Holds nothing secret. */
export interface PageEvent {
  /** Whether it was let in, or is gone. */
  readonly state: "connected" | "closed";
  /** The page's origin. */
  readonly origin: string;
  /** How the page's socket was closed; see {@link CLOSE_CODES}. */
  readonly closeCode?: number | undefined;
  /** Why the exec-server could not be reached. */
  readonly error?: unknown;
}

/** The subprotocol that the gateway speaks. A page offers it, and its token beside it. */
export const GATEWAY_PROTOCOL = "exec-server-gateway";

/** How the gateway closes a page's socket; a page sees the code as `closeCode` of its error. */
export const CLOSE_CODES = {
  /** The exec-server's connection ended, after everything that came from it was passed on. */
  upstreamEnded: { code: 4001, reason: "the exec-server's connection ended" },
  /** The exec-server could not be reached. */
  upstreamUnreachable: { code: 4002, reason: "the exec-server can't be reached" },
  /** The exec-server sent more than `maxUpstreamMessageBytes` at once. */
  upstreamMessageTooLong: { code: 4003, reason: "the exec-server's message is too long" },
  /** The gateway is shutting down. */
  gatewayClosing: { code: 1001, reason: "the gateway is closing" },
} as const;

export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

export type ResolvedGatewayOptions = {
  readonly [Name in keyof GatewayOptions]-?: NonNullable<GatewayOptions[Name]>;
};
