import type { IncomingMessage } from "node:http";
import { isAllowedHost, isAllowedOrigin, isSameToken } from "./checks.ts";
import { GATEWAY_PROTOCOL, type ResolvedGatewayOptions } from "./options.ts";

/** Why a request is refused, as an HTTP status. */
export type Refusal = 400 | 401 | 403 | 404 | 405 | 426 | 503;

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Who gets in. Everything is decided before the exec-server is dialled. */
export class Admission {
  readonly #options: ResolvedGatewayOptions;
  readonly #hosts: readonly string[];

  /** @param ownHosts Names under which the gateway is reached besides the loopback names and `allowedHosts`. */
  constructor(options: ResolvedGatewayOptions, ownHosts: readonly string[]) {
    this.#options = options;
    const own = ownHosts.map((host) => (host.includes(":") ? `[${host}]` : host).toLowerCase());
    this.#hosts = [...LOOPBACK, ...own, ...options.allowedHosts];
  }

  /** Undefined for a request that may go on. */
  async check(request: IncomingMessage): Promise<Refusal | undefined> {
    if (!this.isOurs(request)) return 404;
    if (request.method !== "GET") return 405;
    // The older drafts that `ws` still speaks send their origin in another header.
    if (request.headers["sec-websocket-version"] !== "13") return 426;
    if (!isAllowedOrigin(headerValues(request, "origin"), this.#options.allowedOrigins)) return 403;
    if (!isAllowedHost(headerValues(request, "host"), this.#hosts)) return 403;
    const offered = offeredProtocols(request);
    if (!(await this.#isAuthorized(request, offered))) return 401;
    return offered.length === 0 || offered.includes(GATEWAY_PROTOCOL) ? undefined : 400;
  }

  isOurs({ url = "" }: IncomingMessage): boolean {
    return url.replace(/\?.*$/s, "") === this.#options.path;
  }

  async #isAuthorized(request: IncomingMessage, offered: readonly string[]): Promise<boolean> {
    const { authorize } = this.#options;
    try {
      if (typeof authorize === "function") return (await authorize(request)) === true;
      return offered.some((protocol) => isSameToken(protocol, authorize.token));
    } catch {
      return false;
    }
  }
}

function offeredProtocols(request: IncomingMessage): string[] {
  return headerValues(request, "sec-websocket-protocol")
    .flatMap((value) => value.split(","))
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== "");
}

/** Every occurrence: Node drops or joins what is repeated. */
function headerValues({ rawHeaders }: IncomingMessage, wanted: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === wanted);
}
