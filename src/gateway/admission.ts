import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type CompleteGatewayOptions, GATEWAY_PROTOCOL } from "./options.ts";

/** Why a request is refused, as an HTTP status; undefined for one that may go on. */
export type Refusal = 400 | 401 | 403 | 404 | 405 | 503;

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Who gets in. Everything is decided before the exec-server is dialled. */
export class Admission {
  readonly #options: CompleteGatewayOptions;
  readonly #hosts: ReadonlySet<string>;

  /** @param ownHosts Names under which the gateway is reached besides `allowedHosts`. */
  constructor(options: CompleteGatewayOptions, ownHosts: readonly string[]) {
    this.#options = options;
    this.#hosts = new Set([...ownHosts, ...options.allowedHosts].map((host) => host.toLowerCase()));
  }

  async check(request: IncomingMessage): Promise<Refusal | undefined> {
    if (!this.isOurs(request)) return 404;
    if (request.method !== "GET") return 405;
    if (!this.#isAllowedOrigin(request) || !this.#isAllowedHost(request)) return 403;
    const offered = offeredProtocols(request);
    if (offered.length > 0 && !offered.includes(GATEWAY_PROTOCOL)) return 400;
    return (await this.#isAuthorized(request, offered)) ? undefined : 401;
  }

  /** Whether a request is for the gateway's path; credentials have no place in a URL, so a query is not. */
  isOurs(request: IncomingMessage): boolean {
    return request.url === this.#options.path;
  }

  /** One Origin, compared whole: no page can forge it, and no other program should pretend to be one. */
  #isAllowedOrigin(request: IncomingMessage): boolean {
    const origins = headerValues(request, "origin");
    return origins.length === 1 && this.#options.allowedOrigins.includes(origins[0] as string);
  }

  /** A page that had its own name point here after it was loaded (DNS rebinding) gives itself away by that name. */
  #isAllowedHost(request: IncomingMessage): boolean {
    const hosts = headerValues(request, "host");
    if (hosts.length !== 1) return false;
    const host = (hosts[0] as string).toLowerCase();
    return this.#hosts.has(host) || this.#hosts.has(host.replace(/:\d+$/, ""));
  }

  async #isAuthorized(request: IncomingMessage, offered: readonly string[]): Promise<boolean> {
    const { authorize } = this.#options;
    try {
      if (typeof authorize === "function") return (await authorize(request)) === true;
      return offered.some((protocol) => isSame(protocol, authorize.token));
    } catch {
      return false;
    }
  }
}

/** The names by which a listening gateway is reached at its own address. */
export function ownHosts(address: string): string[] {
  return [...LOOPBACK, address.includes(":") ? `[${address}]` : address];
}

export function offeredProtocols(request: IncomingMessage): string[] {
  return headerValues(request, "sec-websocket-protocol")
    .flatMap((value) => value.split(","))
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== "");
}

/** Every occurrence: Node drops or joins what is repeated. */
function headerValues({ rawHeaders }: IncomingMessage, wanted: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === wanted);
}

/** Takes the same time wherever the two differ, and whatever their lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
