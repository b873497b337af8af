import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { UsageError } from "../errors.ts";
import { settledWithin } from "../internal/deadline.ts";
import { Admission, ownHosts, type Refusal } from "./admission.ts";
import {
  type CompleteGatewayOptions,
  completeGatewayOptions,
  GATEWAY_PROTOCOL,
  type GatewayOptions,
} from "./options.ts";
import { CLOSE_CODES, PageLink } from "./page-link.ts";

/** Lets the pages of a web application reach an exec-server. */
export interface Gateway {
  /**
   * Serves on a port of its own, together with `/readyz`.
   * @default port 0, which the system chooses, on 127.0.0.1
   */
  listen(options?: { readonly port?: number; readonly host?: string }): Promise<{ readonly url: string }>;
  /**
   * Serves on an HTTP server of yours; requests for other paths are left alone.
   * @throws UsageError `ERR_INVALID_ARGUMENT` without `allowedHosts`.
   */
  attach(server: Server): void;
  /** Takes no more pages, and ends those there are; for `graceMs` they may end by themselves. @default 0 */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Makes the missing piece between a browser and an exec-server, which refuses every request with an Origin header. It
 * gives code execution to whoever gets in, so it is closed by default: exact origins, known hosts, and `authorize`.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for options that would leave it open.
 */
export function createGateway(options: GatewayOptions): Gateway {
  return new ExecServerGateway(completeGatewayOptions(options));
}

class ExecServerGateway implements Gateway {
  readonly #options: CompleteGatewayOptions;
  readonly #webSockets: WebSocketServer;
  readonly #links = new Set<PageLink>();
  readonly #detach: (() => void)[] = [];
  #own: Server | undefined;
  #closed = false;

  constructor(options: CompleteGatewayOptions) {
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      // The token, which travels as a subprotocol too, is never sent back.
      handleProtocols: () => GATEWAY_PROTOCOL,
    });
  }

  async listen({
    port = 0,
    host = "127.0.0.1",
  }: {
    port?: number;
    host?: string;
  } = {}): Promise<{ url: string }> {
    if (this.#own || this.#closed) throw new UsageError("ERR_INVALID_ARGUMENT", "A gateway listens once");
    const { handshakeTimeoutMs } = this.#options;
    const limits = { headersTimeout: handshakeTimeoutMs, requestTimeout: handshakeTimeoutMs };
    const server = createServer({ ...limits, connectionsCheckingInterval: 1_000 }, (request, response) => {
      response.writeHead(request.url === "/readyz" ? 200 : 404, { connection: "close" }).end();
    });
    this.#own = server;
    server.listen(port, host);
    await once(server, "listening");
    const { address, port: bound } = server.address() as AddressInfo;
    this.#serve(server, new Admission(this.#options, ownHosts(address)), true);
    const shown = address.includes(":") ? `[${address}]` : address;
    return { url: `ws://${shown}:${bound}${this.#options.path}` };
  }

  attach(server: Server): void {
    if (this.#options.allowedHosts.length === 0) {
      throw new UsageError(
        "ERR_INVALID_ARGUMENT",
        "attach() needs allowedHosts: the names your server is reached by",
      );
    }
    this.#serve(server, new Admission(this.#options, []), false);
  }

  async close({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    this.#closed = true;
    for (const detach of this.#detach.splice(0)) detach();
    const links = [...this.#links];
    if (graceMs > 0) await settledWithin(Promise.all(links.map((link) => link.over)), graceMs);
    await Promise.all(links.map((link) => link.end(CLOSE_CODES.gatewayClosing)));
    this.#own?.closeAllConnections();
    if (this.#own?.listening) await new Promise((resolve) => this.#own?.close(resolve));
  }

  #serve(server: Server, admission: Admission, ownsServer: boolean): void {
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      // On somebody else's server other paths have other listeners.
      if (ownsServer || admission.isOurs(request)) void this.#upgrade(admission, request, socket, head);
    };
    server.on("upgrade", onUpgrade);
    this.#detach.push(() => server.off("upgrade", onUpgrade));
  }

  async #upgrade(
    admission: Admission,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    socket.on("error", () => {});
    const deadline = setTimeout(() => socket.destroy(), this.#options.handshakeTimeoutMs);
    const refusal = await admission.check(request);
    clearTimeout(deadline);
    if (socket.destroyed) return;
    if (refusal !== undefined) return refuse(socket, refusal);
    if (this.#closed || this.#links.size >= this.#options.maxConnections) return refuse(socket, 503);
    this.#webSockets.handleUpgrade(request, socket, head, (page) => this.#link(request, page));
  }

  #link(request: IncomingMessage, page: WebSocket): void {
    const { upstream } = this.#options;
    const link = new PageLink(page, async () =>
      typeof upstream === "function" ? await upstream(request) : upstream,
    );
    this.#links.add(link);
    void link.over.then(() => this.#links.delete(link));
  }
}

function refuse(socket: Duplex, status: Refusal): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
