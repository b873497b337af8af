import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { invalid, received } from "../internal/arguments.ts";
import { bindMembers } from "../internal/bound.ts";
import { guarded } from "../internal/guarded.ts";
import { settledWithin } from "../internal/timer.ts";
import { Admission, pathOf } from "./admission.ts";
import { HttpServer } from "./http-server.ts";
import {
  CLOSE_CODES,
  checkCloseOptions,
  checkListenOptions,
  type GatewayCloseOptions,
  type GatewayListenOptions,
  type GatewayOptions,
  type ResolvedGatewayOptions,
  resolveOptions,
} from "./options.ts";
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
  listen(options?: GatewayListenOptions): Promise<{
    /** For `webSocket()`, with the port that was chosen. */
    readonly url: string;
  }>;
  /**
   * Serves on an existing HTTP server, which several gateways with different paths can share. Requests for other paths are
   * left to other `upgrade` listeners; without any, they get 404.
   * @throws UsageError `ERR_INVALID_ARGUMENT` without `allowedHosts`, for a path that another gateway serves there, or when
   * the gateway is closed.
   */
  attach(server: Server): void;
  /**
   * Refuses new pages and closes connected ones with 1001. With `graceMs`, pages may first finish within that many
   * milliseconds. A further call can only shorten the grace period. An attached HTTP server stays open. @default 0
   */
  close(options?: GatewayCloseOptions): Promise<void>;
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

/** The path that an `upgrade` listener of a gateway serves. A registered symbol, for the ESM and the CJS copy. */
const PATH = Symbol.for("exec-server-sdk.gateway-path");

/** The paths of a server's gateways; undefined for an `upgrade` listener of the application. */
function servedPaths(server: Server): (string | undefined)[] {
  return server.listeners("upgrade").map((listener) => (listener as { [PATH]?: string })[PATH]);
}

class ExecServerGateway implements Gateway {
  readonly #options: ResolvedGatewayOptions;
  readonly #upgrades: Upgrades;
  readonly #sessions = new Set<PageSession>();
  readonly #detach: (() => void)[] = [];
  #httpServer: HttpServer | undefined;
  #closed = false;

  constructor(options: ResolvedGatewayOptions) {
    bindMembers(this, ExecServerGateway);
    this.#options = options;
    this.#upgrades = new Upgrades(options, () => this.#sessions.size >= options.maxConnections);
  }

  async listen(options: GatewayListenOptions = {}): Promise<{ url: string }> {
    checkListenOptions(options);
    const { port = 0, host = "127.0.0.1" } = options;
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
    if (typeof server?.listeners !== "function") {
      invalid(`attach(): server must be an HTTP server, got ${received(server)}`);
    }
    const { path } = this.#options;
    if (servedPaths(server).includes(path)) {
      invalid(`attach(): path must differ from those of the server's other gateways, got ${path} again`);
    }
    if (this.#options.allowedHosts.length === 0) {
      invalid("attach(): allowedHosts must be the host names of the HTTP server, got none");
    }
    this.#serve(server, new Admission(this.#options, []));
  }

  async close(options: GatewayCloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    const { graceMs = 0 } = options;
    this.#closed = true;
    for (const detach of this.#detach.splice(0)) detach();
    this.#upgrades.close();
    this.#httpServer?.stopListening();
    const sessions = [...this.#sessions];
    if (graceMs > 0) {
      const allClosed = Promise.all(sessions.map(({ closed }) => closed));
      await settledWithin(allClosed, graceMs);
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
      } else if (server.listeners("upgrade")[0] === onUpgrade && this.#isUnserved(server, request)) {
        // Node removes its own error listener from a socket before the `upgrade` event.
        socket.on("error", () => {});
        refuse(socket, 404);
      }
    };
    server.on("upgrade", Object.assign(onUpgrade, { [PATH]: this.#options.path }));
    this.#detach.push(() => server.off("upgrade", onUpgrade));
  }

  /** Whether every `upgrade` listener is a gateway's, and none serves the request. */
  #isUnserved(server: Server, request: IncomingMessage): boolean {
    return servedPaths(server).every((path) => path !== undefined && path !== pathOf(request));
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
