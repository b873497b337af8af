import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { invalid } from "../internal/arguments.ts";
import { guarded } from "../internal/guarded.ts";
import { MAX_TIMER_MS, settledWithin } from "../internal/timer.ts";
import { Admission } from "./admission.ts";
import { HttpServer } from "./http-server.ts";
import { CLOSE_CODES, type GatewayOptions, type ResolvedGatewayOptions, resolveOptions } from "./options.ts";
import { PageSession } from "./page-session.ts";
import { type OpenPage, refuse, Upgrades } from "./upgrade.ts";

/** Lets the pages of a web application reach an exec-server. */
export interface Gateway {
  /**
   * Serves on a port of the gateway's own, together with `/readyz`.
   * @default port 0, which the system chooses, on 127.0.0.1
   * @throws UsageError `ERR_INVALID_ARGUMENT` when the gateway already listens or is closed. An error of the system, such
   * as `EADDRINUSE`, when the port can't be used.
   */
  listen(options?: { readonly port?: number; readonly host?: string }): Promise<{
    /** For `webSocket()`, with the port that was chosen. */
    readonly url: string;
  }>;
  /**
   * Serves on an existing HTTP server. Requests for other paths are left to other `upgrade` listeners; without any, they
   * get 404.
   * @throws UsageError `ERR_INVALID_ARGUMENT` without `allowedHosts`, or when the gateway is closed.
   */
  attach(server: Server): void;
  /**
   * Refuses new pages and closes connected ones with 1001. With `graceMs`, pages may first finish within that many
   * milliseconds. A further call can only shorten the grace period. An attached HTTP server stays open. @default 0
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Creates a gateway between browser pages and an exec-server, which refuses every request with an Origin header. An
 * admitted page can run any command, so admission is strict: exact origins, known hosts, and `authorize`.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for options that would admit too much, or nothing.
 */
export function createGateway(options: GatewayOptions): Gateway {
  return new ExecServerGateway(resolveOptions(options));
}

class ExecServerGateway implements Gateway {
  readonly #options: ResolvedGatewayOptions;
  readonly #upgrades: Upgrades;
  readonly #sessions = new Set<PageSession>();
  readonly #detach: (() => void)[] = [];
  #httpServer: HttpServer | undefined;
  #closed = false;

  constructor(options: ResolvedGatewayOptions) {
    this.#options = options;
    this.#upgrades = new Upgrades(options, () => this.#sessions.size >= options.maxConnections);
  }

  async listen({ port = 0, host = "127.0.0.1" } = {}): Promise<{ url: string }> {
    this.#rejectIfClosed();
    if (this.#httpServer) invalid("listen() must be called once: the gateway is already listening");
    const httpServer = new HttpServer(this.#options.handshakeTimeoutMs);
    this.#httpServer = httpServer;
    try {
      await httpServer.listen(port, host);
      // close() may have run before there was a server to close.
      if (this.#closed) await httpServer.close();
      this.#rejectIfClosed();
      const { address, port: bound } = httpServer.address;
      this.#serve(httpServer.server, new Admission(this.#options, [address, host]));
      const shown = address.includes(":") ? `[${address}]` : address;
      return { url: `ws://${shown}:${bound}${this.#options.path}` };
    } catch (error) {
      this.#httpServer = undefined;
      throw error;
    }
  }

  attach(server: Server): void {
    this.#rejectIfClosed();
    if (this.#options.allowedHosts.length === 0) {
      invalid("attach(): allowedHosts must be the host names of the HTTP server, got none");
    }
    this.#serve(server, new Admission(this.#options, []));
  }

  async close({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    this.#closed = true;
    for (const detach of this.#detach.splice(0)) detach();
    this.#upgrades.close();
    this.#httpServer?.stopListening();
    const sessions = [...this.#sessions];
    if (graceMs > 0) {
      const allClosed = Promise.all(sessions.map(({ closed }) => closed));
      await settledWithin(allClosed, Math.min(graceMs, MAX_TIMER_MS));
    }
    await Promise.all(sessions.map((session) => session.end(CLOSE_CODES.gatewayClosing)));
    await this.#httpServer?.close();
  }

  #rejectIfClosed(): void {
    if (this.#closed) invalid("The gateway is closed");
  }

  #serve(server: Server, admission: Admission): void {
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (admission.hasGatewayPath(request)) {
        void this.#upgrades.handle(admission, request, socket, head, (page) => this.#open(request, page));
      } else if (server.listenerCount("upgrade") === 1) {
        // Node removes its own error listener from a socket before the `upgrade` event.
        socket.on("error", () => {});
        refuse(socket, 404);
      }
    };
    server.on("upgrade", onUpgrade);
    this.#detach.push(() => server.off("upgrade", onUpgrade));
  }

  #open(request: IncomingMessage, page: OpenPage): void {
    const { upstream, onPage } = this.#options;
    const origin = request.headers.origin ?? "";
    const transport = async () => {
      // Deferred, because `upstream` may call close(), which must find this session in the set.
      await undefined;
      return typeof upstream === "function" ? await upstream(request) : upstream;
    };
    const session = new PageSession(page, transport, this.#options);
    this.#sessions.add(session);
    guarded(onPage, { state: "connected", origin });
    void session.closed.then(() => {
      this.#sessions.delete(session);
      guarded(onPage, { state: "closed", origin, closeCode: session.closeCode, error: session.error });
    });
  }
}
