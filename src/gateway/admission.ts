import type { IncomingMessage } from "node:http";
import { TOKEN } from "../internal/http-syntax.ts";
import type { RefusalReason } from "./events.ts";
import { GATEWAY_PROTOCOL, type ResolvedGatewayOptions } from "./options.ts";

/** A refusal that the page sees as an HTTP status. */
export interface HttpRefusal {
  readonly status: 400 | 403 | 404 | 405 | 426 | 503;
  readonly reason: RefusalReason;
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
/** Subprotocols that a page may offer. Each is looked up as a token. */
const MAX_PROTOCOLS = 8;
/** Headers of a request. Browsers and proxies send about 30; Node drops those above its own limit. */
const MAX_HEADERS = 200;

/** The comparisons that admission rests on. */
export const CHECKS = { isAllowedOrigin, isAllowedHost };

/** Decides which requests may be authorized, by everything but their credentials. */
export class Admission {
  readonly #options: ResolvedGatewayOptions;
  readonly #hosts: readonly string[];
  readonly #maxHeaders: number;
  readonly #checks: typeof CHECKS;

  /**
   * @param ownHosts Names of the gateway besides the loopback names and `allowedHosts`.
   * @param maxHeaders The limit of the HTTP server, which drops further headers.
   * @param checks Replaced in tests only, to prove that the table of refused requests detects a weaker check.
   */
  constructor(
    options: ResolvedGatewayOptions,
    ownHosts: readonly string[],
    maxHeaders: number | null = null,
    checks = CHECKS,
  ) {
    this.#options = options;
    this.#checks = checks;
    this.#maxHeaders = Math.min(MAX_HEADERS, maxHeaders || MAX_HEADERS);
    const own = ownHosts.map((host) => (host.includes(":") ? `[${host}]` : host).toLowerCase());
    this.#hosts = [...LOOPBACK, ...own, ...options.allowedHosts];
  }

  /** Returns undefined for a request whose credentials may be checked. */
  check(request: IncomingMessage): HttpRefusal | undefined {
    const { isAllowedOrigin, isAllowedHost } = this.#checks;
    if (!this.hasGatewayPath(request)) return { status: 404, reason: "path" };
    if (request.method !== "GET") return { status: 405, reason: "method" };
    // `ws` also accepts older drafts, which send the origin in another header.
    if (request.headers["sec-websocket-version"] !== "13") return { status: 426, reason: "version" };
    if (!this.#isHandshake(request)) return { status: 400, reason: "handshake" };
    if (!isAllowedOrigin(headerValues(request, "origin"), this.#options.allowedOrigins)) {
      return { status: 403, reason: "origin" };
    }
    if (!isAllowedHost(headerValues(request, "host"), this.#hosts)) return { status: 403, reason: "host" };
    return areAllowed(offeredProtocols(request)) ? undefined : { status: 400, reason: "protocols" };
  }

  hasGatewayPath(request: IncomingMessage): boolean {
    return this.#options.path.includes(pathOf(request));
  }

  /** Whether it is a whole handshake: no header can have been dropped, and there is no body, which would count as frames. */
  #isHandshake({ rawHeaders, headers, httpVersion }: IncomingMessage): boolean {
    const hasBody = "content-length" in headers || "transfer-encoding" in headers;
    const isUpgrade = headers.upgrade?.toLowerCase() === "websocket";
    const hasKey = /^[+/\da-z]{22}==$/i.test(headers["sec-websocket-key"] ?? "");
    const isComplete = rawHeaders.length < 2 * this.#maxHeaders && httpVersion === "1.1";
    return isComplete && !hasBody && isUpgrade && hasKey;
  }
}

/** The path of a request, without its query. */
export function pathOf({ url = "" }: IncomingMessage): string {
  return url.replace(/\?.*$/s, "");
}

/** Requires exactly one Origin and compares it whole. A page cannot forge this header. */
function isAllowedOrigin(origins: readonly string[], allowed: readonly string[]): boolean {
  return origins.length === 1 && allowed.includes(origins[0] as string);
}

/** Prevents DNS rebinding: a page whose host name now resolves to this address still sends that name. */
function isAllowedHost(hosts: readonly string[], allowed: readonly string[]): boolean {
  const host = hosts[0]?.toLowerCase();
  if (host === undefined || hosts.length > 1) return false;
  return allowed.includes(host) || allowed.includes(host.replace(/:\d+$/, ""));
}

/** With an `authorize` function, a page may offer none. */
function areAllowed(offered: readonly string[]): boolean {
  if (offered.length === 0) return true;
  if (offered.length > MAX_PROTOCOLS || new Set(offered).size < offered.length) return false;
  // Those that `ws` would refuse, but only after the page was authorized.
  return offered.includes(GATEWAY_PROTOCOL) && offered.every((each) => TOKEN.test(each));
}

/** The subprotocols that a page offers, its token among them. */
export function offeredProtocols(request: IncomingMessage): string[] {
  return headerValues(request, "sec-websocket-protocol")
    .flatMap((value) => value.split(","))
    .map((protocol) => protocol.trim());
}

/** Every occurrence of a header. `request.headers` drops or joins repeated ones. */
function headerValues({ rawHeaders }: IncomingMessage, wanted: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === wanted);
}
