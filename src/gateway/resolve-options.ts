import { invalid, received } from "../internal/arguments.ts";
import {
  aFunction,
  aNonEmptyString,
  anything,
  checkOptions,
  duration,
  integer,
  milliseconds,
  type Rules,
} from "../internal/option-rules.ts";
import { MAX_TIMER_MS } from "../internal/timer.ts";
import { MAX_INCOMING_FRAME } from "../transport/transport.ts";
import { checkedHost, checkedOrigin, checkedPaths, tokenList, trustedProxies } from "./option-values.ts";
import type {
  GatewayCloseOptions,
  GatewayListenOptions,
  GatewayOptions,
  ResolvedGatewayOptions,
} from "./options.ts";

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
  maxHandshakes: count,
  maxPagesPerUser: count,
  idleTimeoutMs: milliseconds,
  maxDurationMs: milliseconds,
  trustProxy: anything,
  handshakeTimeoutMs: count,
  maxMessageBytes: count,
  maxUpstreamMessageBytes: count,
  heartbeatMs: count,
  onEvent: aFunction,
};

const HINTS = {
  host: "give it to listen()",
  onPage: "use onEvent",
  maxPayload: "use maxMessageBytes",
  origin: "use allowedOrigins",
  origins: "use allowedOrigins",
  port: "give it to listen()",
  server: "give it to attach()",
  token: "use authorize: { token }",
  tokens: "use authorize: { tokens }",
  verifyClient: "use authorize",
};

const LISTEN_RULES: Rules<GatewayListenOptions> = { port: integer(0, 65_535), host: aNonEmptyString };

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
  const { upstream, allowedOrigins, authorize, allowedHosts = [], path = "/", trustProxy } = options ?? {};
  const { maxConnections = 100, maxHandshakes = 100, handshakeTimeoutMs = 10_000 } = options ?? {};
  const { heartbeatMs = 30_000, onEvent } = options ?? {};
  if (typeof upstream !== "function" && typeof upstream?.connect !== "function") {
    invalid(`upstream must be a transport or a function that returns one, got ${received(upstream)}`);
  }
  if (!Array.isArray(allowedOrigins) || allowedOrigins.length === 0) {
    invalid(`allowedOrigins must be a non-empty array of exact origins, got ${received(allowedOrigins)}`);
  }
  if (!Array.isArray(allowedHosts)) {
    invalid(`allowedHosts must be an array of host names, got ${received(allowedHosts)}`);
  }
  return {
    upstream,
    // Copied, so that later changes of the arrays have no effect.
    allowedOrigins: allowedOrigins.map(checkedOrigin),
    authorize: typeof authorize === "function" ? authorize : tokenList(authorize),
    allowedHosts: allowedHosts.map(checkedHost),
    path: checkedPaths(path),
    maxConnections,
    maxHandshakes,
    maxPagesPerUser: options.maxPagesPerUser,
    idleTimeoutMs: options.idleTimeoutMs,
    maxDurationMs: options.maxDurationMs,
    trustProxy: trustedProxies(trustProxy),
    handshakeTimeoutMs,
    maxMessageBytes: options.maxMessageBytes ?? 16 * 1024 * 1024,
    maxUpstreamMessageBytes: options.maxUpstreamMessageBytes ?? MAX_INCOMING_FRAME,
    heartbeatMs,
    onEvent: onEvent ?? (() => {}),
  };
}
