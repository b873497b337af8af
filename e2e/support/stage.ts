import type { ServerResponse } from "node:http";
import { ExecServer } from "../../test/support/exec-server.ts";
import { Origin } from "../../test/support/origin.ts";
import { TcpProxy } from "../../test/support/tcp-proxy.ts";
import { GatewayChild } from "./gateway-child.ts";
import { PageServer } from "./page-server.ts";

const TOKEN = "token-of-the-e2e-stage";
/** Milliseconds between two chunks of an endless body. */
const DRIP_MS = 20;

/**
 * The servers behind a page: the page server; a proxy, the gateway, a proxy and the real exec-server; and an origin for the
 * HTTP requests of the exec-server.
 */
export class Stage {
  /** Between the page and the gateway. */
  readonly front: TcpProxy;
  /** Between the gateway and the exec-server. */
  readonly back: TcpProxy;
  readonly server: ExecServer;
  readonly gateway: GatewayChild;
  readonly pages: PageServer;
  readonly origin: Origin;
  readonly #arrivals = new Map<string, () => void>();

  private constructor(parts: Pick<Stage, "front" | "back" | "server" | "gateway" | "pages" | "origin">) {
    this.front = parts.front;
    this.back = parts.back;
    this.server = parts.server;
    this.gateway = parts.gateway;
    this.pages = parts.pages;
    this.origin = parts.origin;
    this.origin.answer = (response, { url, body }) => {
      if (url.startsWith("/drip")) drip(response);
      if (url === "/echo") response.end(body);
      this.#arrivals.get(url)?.();
    };
  }

  /** @param site The directory of the page. */
  static async start(site: string): Promise<Stage> {
    const [server, pages, origin] = await Promise.all([
      ExecServer.start({ args: ["--concurrent-requests", "8"] }),
      PageServer.start(site),
      Origin.start(),
    ]);
    const back = await TcpProxy.start(() => Number(new URL(server.url).port));
    const gateway = await GatewayChild.start({ upstream: back.url, origin: pages.origin, token: TOKEN });
    const front = await TcpProxy.start(() => gateway.port);
    pages.connectSrc = front.url;
    return new Stage({ front, back, server, gateway, pages, origin });
  }

  /** The URL and subprotocols with which a page connects. */
  get address(): { url: string; protocols: string[] } {
    return { url: this.front.url, protocols: ["exec-server-gateway", this.token] };
  }

  get token(): string {
    return TOKEN;
  }

  /** Resolves when the exec-server requests this path from the origin. */
  arrival(path: string): Promise<void> {
    return new Promise((resolve) => this.#arrivals.set(path, resolve));
  }

  async close(): Promise<void> {
    await Promise.all([this.front.close(), this.gateway.kill(), this.server[Symbol.asyncDispose]()]);
    await Promise.all([this.back.close(), this.pages.close(), this.origin[Symbol.asyncDispose]()]);
  }
}

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write("drop\n"), DRIP_MS);
  response.once("close", () => clearInterval(timer));
  response.write("drop\n");
}
