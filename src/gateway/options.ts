import type { IncomingMessage } from "node:http";
import type { Awaitable } from "../internal/awaitable.ts";
import { GATEWAY_NAME } from "../internal/gateway-name.ts";
import type { Transport } from "../transport/transport.ts";
import type { TrustedProxies } from "./address.ts";
import type { AuthorizeFunction } from "./authorization.ts";
import type { GatewayEvent } from "./events.ts";
import type { TokenList } from "./tokens.ts";

/**
 * Which pages are admitted, and to which exec-server. An option that would admit too much is a UsageError
 * `ERR_INVALID_ARGUMENT`.
 */
export interface GatewayOptions {
  /** How to reach the exec-server. A function is called for each page, after the page was admitted. */
  readonly upstream: Transport | ((request: IncomingMessage, page: UpstreamContext) => Awaitable<Transport>);
  /**
   * The pages that may connect, as exact origins (`https://ide.example`). There is no wildcard: an admitted page can run
   * any command.
   */
  readonly allowedOrigins: readonly string[];
  /**
   * Which requests may connect. With `{ token }` or `{ tokens }`, a page must send a token as a subprotocol beside
   * {@link GATEWAY_PROTOCOL}; the name of its token is its user. A function decides on its own, for example by a session
   * cookie: `true` or an object with a user admits, `false` refuses with 4401. Anything else it returns, an error and a
   * rejection close the page with 4500. It is called before the exec-server is dialled.
   */
  readonly authorize: AuthorizeFunction | TokenOption | TokensOption;
  /**
   * Host names of the gateway, with or without a port; behind a reverse proxy, its public name. Loopback names are
   * always allowed, and so is the address passed to `listen`.
   * @default none
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * The only path that is served, or a list of them. A query after it is ignored, but `authorize` and `upstream` can read
   * it. @default "/"
   */
  readonly path?: string | readonly string[] | undefined;
  /** Number of pages connected at once; further ones are closed with 4503. @default 100 */
  readonly maxConnections?: number | undefined;
  /**
   * Number of requests whose `authorize` is pending, together with refused pages whose sockets are not closed yet; further
   * ones get HTTP 503. Pages with the right token need no such place. @default 100
   */
  readonly maxHandshakes?: number | undefined;
  /**
   * Pages of one user connected at once. One more ends a page that has missed its last ping, otherwise the oldest, with
   * 4409. Pages without a user have no such limit. A client with `fetchConnection: "own"` counts as two pages.
   * @default none
   */
  readonly maxPagesPerUser?: number | undefined;
  /** Milliseconds without a message from the page after which it is closed with 4408. @default none */
  readonly idleTimeoutMs?: number | undefined;
  /** Milliseconds after which a page is closed with 4408, idle or not. @default none */
  readonly maxDurationMs?: number | undefined;
  /**
   * Whose `X-Forwarded-For` is believed, for the address in events and for the back-off of failed logins. The addresses and
   * networks (`10.0.0.0/8`) of your proxies: the header is read from the right, past all of them. `true` believes the
   * direct peer, whichever it is, and no further one. @default false
   */
  readonly trustProxy?: boolean | readonly string[] | undefined;
  /** Milliseconds a request may take to arrive, and again to be authorized. @default 10_000 */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Longest message from a page, in bytes; a longer one closes its socket with 1009. @default 16 MiB */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Longest message from the exec-server, in characters, or in bytes behind `webSocket()` of `exec-server-sdk/node`; a
   * longer one closes the page's socket with 4003. The other built-in transports allow no more than the default.
   * @default 64 MiB
   */
  readonly maxUpstreamMessageBytes?: number | undefined;
  /**
   * Milliseconds between two pings, which keep an idle socket open through reverse proxies. A page that leaves four in
   * a row unanswered is disconnected. An exec-server over WebSocket is pinged, too; its silence closes the page with 4001.
   * @default 30_000
   */
  readonly heartbeatMs?: number | undefined;
  /** Called for everything that happens to a page, for a log and for metrics. Its errors are ignored. @default none */
  readonly onEvent?: ((event: GatewayEvent) => void) | undefined;
}

/** One token for all pages. */
export interface TokenOption {
  /** At least 16 letters, digits and `-._~+`. */
  readonly token: string;
}

/** Several tokens. */
export interface TokensOption {
  /** The tokens by name, each like {@link TokenOption.token}. A name is no secret: it is the `user` of events and limits. */
  readonly tokens: Readonly<Record<string, string>>;
}

/** What is known of an admitted page whose exec-server is chosen. */
export interface UpstreamContext {
  /** As in the page's events. */
  readonly id: string;
  /** The user that `authorize` named, or the name of the token. */
  readonly user?: string | undefined;
}

/**
 * The subprotocol of the gateway, `"exec-server-gateway"`. A page offers it together with its token.
 *
 * @example
 * import { webSocket } from "exec-server-sdk";
 *
 * const protocols = ["exec-server-gateway", "a-token-of-enough-letters"];
 * const transport = webSocket("wss://ide.example/exec", { protocols });
 */
export const GATEWAY_PROTOCOL = GATEWAY_NAME;

type Optional = "maxPagesPerUser" | "idleTimeoutMs" | "maxDurationMs";

export type ResolvedGatewayOptions = {
  readonly [Name in Exclude<
    keyof GatewayOptions,
    Optional | "authorize" | "path" | "trustProxy"
  >]-?: NonNullable<GatewayOptions[Name]>;
} & Pick<GatewayOptions, Optional> & {
    readonly authorize: AuthorizeFunction | TokenList;
    readonly path: readonly string[];
    readonly trustProxy: TrustedProxies;
  };

/** Options of `listen()`. */
export interface GatewayListenOptions {
  /** The port, or 0 for one that the system chooses. @default 0 */
  readonly port?: number | undefined;
  /** The address or host name to listen on. @default "127.0.0.1" */
  readonly host?: string | undefined;
}

/** Options of `close()`. */
export interface GatewayCloseOptions {
  /** Milliseconds in which connected pages may finish. @default 0 */
  readonly graceMs?: number | undefined;
}
