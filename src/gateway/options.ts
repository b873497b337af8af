import type { IncomingMessage } from "node:http";
import { invalid, received } from "../internal/arguments.ts";
import type { Awaitable } from "../internal/awaitable.ts";
import { GATEWAY_NAME } from "../internal/gateway-name.ts";
import {
  aFunction,
  anything,
  checkOptions,
  duration,
  integer,
  type Rule,
  type Rules,
} from "../internal/option-rules.ts";
import { MAX_TIMER_MS } from "../internal/timer.ts";
import { MAX_INCOMING_FRAME, type Transport } from "../transport/transport.ts";

/**
 * Which pages are admitted, and to which exec-server. An option that would admit too much is a UsageError
 * `ERR_INVALID_ARGUMENT`.
 */
export interface GatewayOptions {
  /** How to reach the exec-server. A function is called for each page, after the page was admitted. */
  readonly upstream: Transport | ((request: IncomingMessage) => Awaitable<Transport>);
  /**
   * The pages that may connect, as exact origins (`https://ide.example`). There is no wildcard: an admitted page can run
   * any command.
   */
  readonly allowedOrigins: readonly string[];
  /**
   * Which requests may connect. With `{ token }`, a page must send the token as a subprotocol beside
   * {@link GATEWAY_PROTOCOL}. A function decides on its own, for example by a session cookie, and admits with `true`
   * only. It is called before the exec-server is dialled; an error or a rejection refuses the request.
   */
  readonly authorize:
    | ((request: IncomingMessage) => Awaitable<boolean>)
    | {
        /** Letters, digits and `-._~+`. */
        readonly token: string;
      };
  /**
   * Host names of the gateway, with or without a port; behind a reverse proxy, its public name. Loopback names are
   * always allowed, and so is the address passed to `listen`.
   * @default none
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** The only path that is served. A query after it is ignored, but `authorize` and `upstream` can read it. @default "/" */
  readonly path?: string | undefined;
  /** Number of pages connected at once; further ones get 503. @default 100 */
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
   * Milliseconds between two pings, which keep an idle socket open through reverse proxies. A page that leaves four in
   * a row unanswered is disconnected. @default 30_000
   */
  readonly heartbeatMs?: number | undefined;
  /** Called when a page has connected and when it has closed, for a log. Its errors are ignored. @default none */
  readonly onPage?: ((event: PageEvent) => void) | undefined;
}

/** A change in the connection of a page. Contains no secrets. */
export interface PageEvent {
  /** Whether the page was admitted, or both its connections are closed. */
  readonly state: "connected" | "closed";
  /** The page's origin. */
  readonly origin: string;
  /** The close code of the page's socket; see {@link CLOSE_CODES}. */
  readonly closeCode?: number | undefined;
  /** Why the exec-server could not be reached. */
  readonly error?: unknown;
}

/** The subprotocol of the gateway. A page offers it together with its token. */
export const GATEWAY_PROTOCOL = GATEWAY_NAME;

/** How the gateway closes a page's socket. A page sees the code as `closeCode` of its error. */
export const CLOSE_CODES = {
  /** The exec-server's connection ended. Everything received from it was passed on before. */
  upstreamEnded: { code: 4001, reason: "the exec-server's connection ended" },
  /** The exec-server could not be reached. */
  upstreamUnreachable: { code: 4002, reason: "the exec-server can't be reached" },
  /** The exec-server sent a message longer than `maxUpstreamMessageBytes`. */
  upstreamMessageTooLong: { code: 4003, reason: "the exec-server's message is too long" },
  /** The gateway is shutting down. */
  gatewayClosing: { code: 1001, reason: "the gateway is closing" },
} as const;

export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

export type ResolvedGatewayOptions = {
  readonly [Name in keyof GatewayOptions]-?: NonNullable<GatewayOptions[Name]>;
};

/** Timers and the limits of `ws` are signed 32-bit numbers: a larger one would mean no limit at all. */
const MAX_NUMBER = MAX_TIMER_MS;

const count = integer(1, MAX_NUMBER);

/** Those without a rule are checked more closely below. */
const RULES: Rules<GatewayOptions> = {
  upstream: anything,
  allowedOrigins: anything,
  authorize: anything,
  allowedHosts: anything,
  path: anything,
  maxConnections: count,
  handshakeTimeoutMs: count,
  maxMessageBytes: count,
  maxUpstreamMessageBytes: count,
  heartbeatMs: count,
  onPage: aFunction,
};

const HINTS = {
  host: "give it to listen()",
  maxPayload: "use maxMessageBytes",
  origin: "use allowedOrigins",
  origins: "use allowedOrigins",
  port: "give it to listen()",
  server: "give it to attach()",
  token: "use authorize: { token }",
  verifyClient: "use authorize",
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

const nonEmptyString: Rule = (value) =>
  typeof value === "string" && value !== "" ? undefined : "a non-empty string";

const LISTEN_RULES: Rules<GatewayListenOptions> = { port: integer(0, 65_535), host: nonEmptyString };

const LISTEN_HINTS = {
  path: "give it to createGateway()",
  server: "use attach()",
  signal: "use close()",
};

export function checkListenOptions(options: GatewayListenOptions): void {
  checkOptions("listen()", options, LISTEN_RULES, LISTEN_HINTS);
}

export function checkCloseOptions(options: GatewayCloseOptions): void {
  checkOptions("close()", options, { graceMs: duration });
}

/** Fills in the defaults. Throws a UsageError for options that would admit too much, or nothing. */
export function resolveOptions(options: GatewayOptions): ResolvedGatewayOptions {
  checkOptions("createGateway()", options, RULES, HINTS);
  const { upstream, allowedOrigins, authorize, allowedHosts = [], path = "/" } = options ?? {};
  const { maxConnections = 100, handshakeTimeoutMs = 10_000, heartbeatMs = 30_000, onPage } = options ?? {};
  if (typeof upstream !== "function" && typeof upstream?.connect !== "function") {
    invalid(`upstream must be a transport or a function that returns one, got ${received(upstream)}`);
  }
  if (!Array.isArray(allowedOrigins) || allowedOrigins.length === 0) {
    invalid(`allowedOrigins must be a non-empty array of exact origins, got ${received(allowedOrigins)}`);
  }
  if (!Array.isArray(allowedHosts)) {
    invalid(`allowedHosts must be an array of host names, got ${received(allowedHosts)}`);
  }
  if (typeof path !== "string" || !/^\/[^\s?#]*$/.test(path)) {
    invalid(`path must start with "/" and have no query, fragment or space, got ${received(path)}`);
  }
  return {
    upstream,
    // Copied, so that later changes of the arrays have no effect.
    allowedOrigins: allowedOrigins.map(checkedOrigin),
    authorize: typeof authorize === "function" ? authorize : { token: checkedToken(authorize) },
    allowedHosts: allowedHosts.map(checkedHost),
    path,
    maxConnections,
    handshakeTimeoutMs,
    maxMessageBytes: options.maxMessageBytes ?? 16 * 1024 * 1024,
    maxUpstreamMessageBytes: options.maxUpstreamMessageBytes ?? MAX_INCOMING_FRAME,
    heartbeatMs,
    onPage: onPage ?? (() => {}),
  };
}

/** Accepts an origin exactly as a browser sends it: scheme, host and port in normal form, nothing else. */
function checkedOrigin(origin: unknown): string {
  const isOrigin =
    typeof origin === "string" &&
    URL.canParse(origin) &&
    // The URL standard allows a star in a host name.
    !/^(wss?|ftp):|\*/.test(origin) &&
    new URL(origin).host !== "" &&
    // Custom schemes, such as those of Electron and of extensions, have an origin too, but `URL.origin` is "null".
    `${new URL(origin).protocol}//${new URL(origin).host}` === origin;
  return isOrigin
    ? origin
    : invalid(`allowedOrigins must contain exact origins such as https://ide.example, got ${quoted(origin)}`);
}

function checkedHost(host: unknown): string {
  return typeof host === "string" && /^([\w.-]+|\[[\da-f:.]+\])(:\d+)?$/i.test(host)
    ? host.toLowerCase()
    : invalid(`allowedHosts must contain host names such as ide.example, got ${quoted(host)}`);
}

/** Accepts a token that is a valid subprotocol, other than the one that every page offers. */
function checkedToken(authorize: unknown): string {
  const { token } = (authorize ?? {}) as { token?: unknown };
  const isObject = typeof authorize === "object" && authorize !== null;
  if (isObject && token !== undefined) checkOptions("authorize", authorize, { token: anything });
  if (token === undefined) {
    invalid(`authorize must be a function or an object with a token, got ${received(authorize)}`);
  }
  return typeof token === "string" && /^[\w\-.~+]+$/.test(token) && token !== GATEWAY_PROTOCOL
    ? token
    : invalid(
        `authorize.token must be letters, digits and -._~+ other than "${GATEWAY_PROTOCOL}", got ${received(token)}`,
      );
}

/** A value that is no secret, for an error message. */
function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : received(value);
}
