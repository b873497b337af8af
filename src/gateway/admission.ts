import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { GATEWAY_PROTOCOL, type ResolvedGatewayOptions } from "./options.ts";

/** Why a request is refused, as an HTTP status. */
export type Refusal = 400 | 401 | 403 | 404 | 405 | 426 | 503;

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** The comparisons that admission rests on. */
export const CHECKS = { isAllowedOrigin, isAllowedHost, isSameToken };

/** Decides which requests are admitted, before the exec-server is dialled. */
export class Admission {
  readonly #options: ResolvedGatewayOptions;
  readonly #hosts: readonly string[];
  readonly #checks: typeof CHECKS;

  /**
   * @param ownHosts Names of the gateway besides the loopback names and `allowedHosts`.
   * @param checks Replaced in tests only, to prove that the table of refused requests detects a weaker check.
   */
  constructor(options: ResolvedGatewayOptions, ownHosts: readonly string[], checks = CHECKS) {
    this.#options = options;
    this.#checks = checks;
    const own = ownHosts.map((host) => (host.includes(":") ? `[${host}]` : host).toLowerCase());
    this.#hosts = [...LOOPBACK, ...own, ...options.allowedHosts];
  }

  /** Resolves with undefined for an admitted request. */
  async check(request: IncomingMessage): Promise<Refusal | undefined> {
    const { isAllowedOrigin, isAllowedHost } = this.#checks;
    if (!this.hasGatewayPath(request)) return 404;
    if (request.method !== "GET") return 405;
    // `ws` also accepts older drafts, which send the origin in another header.
    if (request.headers["sec-websocket-version"] !== "13") return 426;
    if (!isAllowedOrigin(headerValues(request, "origin"), this.#options.allowedOrigins)) return 403;
    if (!isAllowedHost(headerValues(request, "host"), this.#hosts)) return 403;
    const offered = offeredProtocols(request);
    if (!(await this.#isAuthorized(request, offered))) return 401;
    return offered.length === 0 || offered.includes(GATEWAY_PROTOCOL) ? undefined : 400;
  }

  hasGatewayPath(request: IncomingMessage): boolean {
    return pathOf(request) === this.#options.path;
  }

  async #isAuthorized(request: IncomingMessage, offered: readonly string[]): Promise<boolean> {
    const { authorize } = this.#options;
    try {
      if (typeof authorize === "function") return (await authorize(request)) === true;
      return offered.some((protocol) => this.#checks.isSameToken(protocol, authorize.token));
    } catch {
      return false;
    }
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

/** Takes the same time wherever the two tokens differ, and for any lengths. */
function isSameToken(offered: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(offered), digest(token));
}

function offeredProtocols(request: IncomingMessage): string[] {
  return headerValues(request, "sec-websocket-protocol")
    .flatMap((value) => value.split(","))
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== "");
}

/** Every occurrence of a header. `request.headers` drops or joins repeated ones. */
function headerValues({ rawHeaders }: IncomingMessage, wanted: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === wanted);
}
