import { UsageError } from "../errors.ts";
import { MAX_INCOMING_FRAME } from "../transport/transport.ts";
import { GATEWAY_PROTOCOL, type GatewayOptions, type ResolvedGatewayOptions } from "./options.ts";

/** Timers and the limits of `ws` take larger numbers for none at all. */
const MAX_NUMBER = 2 ** 31 - 1;

/** Throws a UsageError for everything that would leave the door open, or shut for good. */
export function resolveOptions(options: GatewayOptions): ResolvedGatewayOptions {
  const { upstream, allowedOrigins, authorize, allowedHosts = [], path = "/", onPage } = options ?? {};
  if (typeof upstream !== "function" && typeof upstream?.connect !== "function") {
    return invalid("createGateway() needs an upstream: a transport, or a function that gives one");
  }
  if (!Array.isArray(allowedOrigins) || allowedOrigins.length === 0) {
    return invalid("createGateway() needs allowedOrigins: the exact origins of your pages");
  }
  if (!Array.isArray(allowedHosts)) return invalid("allowedHosts is a list of host names");
  if (typeof path !== "string" || !/^\/[^\s?#]*$/.test(path)) {
    return invalid("path starts with a slash, and has no query");
  }
  return {
    upstream,
    // Copies: what is decided here can't be changed by whoever still holds the list.
    allowedOrigins: allowedOrigins.map(checkedOrigin),
    authorize: typeof authorize === "function" ? authorize : { token: checkedToken(authorize?.token) },
    allowedHosts: allowedHosts.map(checkedHost),
    path,
    maxConnections: checkedNumber("maxConnections", options.maxConnections, 100),
    handshakeTimeoutMs: checkedNumber("handshakeTimeoutMs", options.handshakeTimeoutMs, 10_000),
    maxMessageBytes: checkedNumber("maxMessageBytes", options.maxMessageBytes, 16 * 1024 * 1024),
    maxUpstreamMessageBytes: checkedNumber(
      "maxUpstreamMessageBytes",
      options.maxUpstreamMessageBytes,
      MAX_INCOMING_FRAME,
    ),
    heartbeatMs: checkedNumber("heartbeatMs", options.heartbeatMs, 30_000),
    onPage: typeof onPage === "function" ? onPage : () => {},
  };
}

/** Exactly as a browser writes it: scheme, host and port, nothing else, nothing to normalise. */
function checkedOrigin(origin: unknown): string {
  const isOrigin =
    typeof origin === "string" &&
    URL.canParse(origin) &&
    // The URL standard takes a star for a part of a name.
    !/^(wss?|ftp):|\*/.test(origin) &&
    new URL(origin).host !== "" &&
    // Electron's and extensions' own schemes have an origin, too, which `URL.origin` does not tell.
    `${new URL(origin).protocol}//${new URL(origin).host}` === origin;
  return isOrigin
    ? origin
    : invalid(
        `allowedOrigins holds ${JSON.stringify(origin)}, which is not an origin such as https://ide.example`,
      );
}

function checkedHost(host: unknown): string {
  return typeof host === "string" && /^([\w.-]+|\[[\da-f:.]+\])(:\d+)?$/i.test(host)
    ? host.toLowerCase()
    : invalid(`allowedHosts holds ${JSON.stringify(host)}, which is not a host name such as ide.example`);
}

/** Something that can travel as a subprotocol, and that not every page offers anyway. */
function checkedToken(token: unknown): string {
  return typeof token === "string" && /^[\w\-.~+]+$/.test(token) && token !== GATEWAY_PROTOCOL
    ? token
    : invalid("createGateway() needs authorize: a function, or { token } of letters, digits and -._~+");
}

function checkedNumber(name: string, value: number | undefined, otherwise: number): number {
  const number = value ?? otherwise;
  return Number.isInteger(number) && number > 0 && number <= MAX_NUMBER
    ? number
    : invalid(`${name} is a whole number from 1 to ${MAX_NUMBER}`);
}

function invalid(message: string): never {
  throw new UsageError("ERR_INVALID_ARGUMENT", message);
}
