import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { invalid, received } from "../internal/arguments.ts";
import { bindMembers } from "../internal/bound.ts";
import { settledWithin } from "../internal/timer.ts";
import type { Transport } from "../transport/transport.ts";
import { Admission, pathOf } from "./admission.ts";
import { CLOSE_CODES } from "./close-codes.ts";
import type { GatewayPage } from "./events.ts";
import { HttpServer, type ListenTarget } from "./http-server.ts";
import type {
  GatewayCloseOptions,
  GatewayListenOptions,
  GatewayOptions,
  ResolvedGatewayOptions,
} from "./options.ts";
import { PageSession } from "./page-session.ts";
import { Pages } from "./pages.ts";
import { Readiness } from "./readiness.ts";
import { checkCloseOptions, checkListenOptions, resolveOptions } from "./resolve-options.ts";
import { type OpenPage, refuse, Upgrades } from "./upgrade.ts";
import { Visit } from "./visit.ts";

/** Where a gateway listens. */
export interface GatewayAddress {
  /** For `webSocket()`, with the port that was chosen. With the loopback address if it listens on all addresses. */
  readonly url: string;
}

/** Lets the pages of a web application reach an exec-server. */
export interface Gateway {
  /**
   * The connected pages, the oldest first. Each iteration takes a snapshot.
   *
   * @example
   * for (const page of gateway.pages) if (page.user === "ada") await page.end();
   */
  readonly pages: Iterable<GatewayPage>;
  /**
   * Serves on a port of the gateway's own, together with `/livez`, which is 200 while the process runs, and `/readyz`, which
   * is 503 while the gateway is full or the exec-server can't be reached.
   *
   * @default port 0, which the system chooses, on 127.0.0.1
   * @throws UsageError `ERR_INVALID_ARGUMENT` when the gateway already listens or is closed. An error of the system, such
   * as `EADDRINUSE`, when the port can't be used.
   * @example
   * const { url } = await gateway.listen();
   * console.log(url); // ws://127.0.0.1:40123/
   * await gateway.close();
   */
  listen(options?: GatewayListenOptions): Promise<GatewayAddress>;
  /**
   * Serves on an existing HTTP server, which several gateways with different paths can share. Requests for other paths are
   * left to other `upgrade` listeners; without any, they get 404.
   *
   * @throws UsageError `ERR_INVALID_ARGUMENT` without `allowedHosts`, for a path that another gateway serves there, or when
   * the gateway is closed.
   * @example
   * import { createServer } from "node:http";
   * import { createGateway } from "exec-server-sdk/gateway";
   * import { webSocket } from "exec-server-sdk/node";
   *
   * const server = createServer((request, response) => response.end("the application"));
   * const gateway = createGateway({
   *   upstream: webSocket("ws://127.0.0.1:8080"),
   *   allowedOrigins: ["https://ide.example"],
   *   allowedHosts: ["ide.example"],
   *   path: "/exec",
   *   authorize: (request) => request.headers.cookie === "session=known",
   * });
   * gateway.attach(server);
   */
  attach(server: Server): void;
  /**
   * Refuses new pages and closes connected ones with 1001. With `graceMs`, pages may first finish within that many
   * milliseconds. A further call can only shorten the grace period. An attached HTTP server stays open.
   *
   * @example
   * process.once("SIGTERM", () => void gateway.close({ graceMs: 5_000 }));
   */
  close(options?: GatewayCloseOptions): Promise<void>;
}

/**
 * Creates a gateway between browser pages and an exec-server, which refuses every request with an Origin header. An
 * admitted page can run any command, so admission is strict: exact origins, known hosts, and `authorize`.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for options that would admit too much, or nothing.
 * @example
 * import { createGateway } from "exec-server-sdk/gateway";
 * import { webSocket } from "exec-server-sdk/node";
 *
 * const gateway = createGateway({
 *   upstream: webSocket("ws://127.0.0.1:8080"),
 *   allowedOrigins: ["https://ide.example"],
 *   allowedHosts: ["ide.example"],
 *   authorize: { tokens: { ada: "a-token-of-enough-letters" } },
 *   onEvent: ({ type, user, reason }) => console.log(type, user, reason),
 * });
 * const { url } = await gateway.listen();
 * await gateway.close();
 */
export function createGateway(options: GatewayOptions): Gateway {
  return new ExecServerGateway(resolveOptions(options));
}

/** The path that an `upgrade` listener of a gateway serves. A registered symbol, for the ESM and the CJS copy. */
const PATH = Symbol.for("exec-server-sdk.gateway-path");

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** The paths of each of a server's gateways; undefined for an `upgrade` listener of the application. */
function servedPaths(server: Server): (readonly string[] | undefined)[] {
  return server.listeners("upgrade").map((listener) => {
    const paths = (listener as { [PATH]?: string | readonly string[] })[PATH];
    return typeof paths === "string" ? [paths] : paths;
  });
}

/** @internal The command uses more of it than is public. */
export class ExecServerGateway implements Gateway {
  readonly #options: ResolvedGatewayOptions;
  readonly #upgrades: Upgrades;
  readonly #pages: Pages;
  /** Tells whether a page could be served now. */
  readonly readiness: Readiness;
  readonly #detach: (() => void)[] = [];
  #httpServer: HttpServer | undefined;
  #closed = false;

  constructor(options: ResolvedGatewayOptions) {
    bindMembers(this, ExecServerGateway);
    this.#options = options;
    this.#pages = new Pages(options);
    this.readiness = new Readiness(options.upstream, () => {
      if (this.#closed) return "closing";
      return this.#pages.isFull ? "full" : undefined;
    });
    this.#upgrades = new Upgrades(options, (identity) => this.#pages.makeRoom(identity));
  }

  get pages(): Iterable<GatewayPage> {
    return this.#pages;
  }

  async listen(options: GatewayListenOptions = {}): Promise<GatewayAddress> {
    checkListenOptions(options);
    const { port = 0, host = "127.0.0.1" } = options;
    const httpServer = await this.listenOn({ port, host });
    return { url: `ws://${httpServer.authority}${this.#options.path[0]}` };
  }

  /** Serves on a port or a Unix socket of the gateway's own. */
  async listenOn(target: ListenTarget): Promise<HttpServer> {
    this.#rejectIfClosed();
    if (this.#httpServer) invalid("listen() must be called once: the gateway is already listening");
    const httpServer = new HttpServer(target, this.#options.handshakeTimeoutMs, {
      readiness: this.readiness,
      onRequest: (request) => this.#onPlainRequest(request),
    });
    this.#httpServer = httpServer;
    try {
      await httpServer.listen();
      // close() may have run before there was a server to close.
      if (this.#closed) await httpServer.close();
      this.#rejectIfClosed();
      this.#serve(httpServer.server, httpServer.names);
      return httpServer;
    } catch (error) {
      this.#httpServer = undefined;
      throw error;
    }
  }

  attach(server: Server): void {
    this.#rejectIfClosed();
    // An application of Express has listeners, too, but gets no upgrades.
    if (typeof server?.listeners !== "function" || typeof server.address !== "function") {
      invalid(`attach(): server must be an HTTP server, got ${received(server)}`);
    }
    const { path } = this.#options;
    const served = servedPaths(server).flatMap((paths) => paths ?? []);
    const twice = path.find((each) => served.includes(each));
    if (twice !== undefined) {
      invalid(`attach(): path must differ from those of the server's other gateways, got ${twice} again`);
    }
    if (this.#options.allowedHosts.length === 0) {
      invalid("attach(): allowedHosts must be the host names of the HTTP server, got none");
    }
    const onUpgrade = this.#serve(server, []);
    this.#detach.push(() => server.off("upgrade", onUpgrade));
  }

  async close(options: GatewayCloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    const { graceMs = 0 } = options;
    this.#closed = true;
    for (const detach of this.#detach.splice(0)) detach();
    this.#upgrades.close();
    this.#httpServer?.stopListening();
    const { sessions } = this.#pages;
    if (graceMs > 0) {
      const allClosed = Promise.all(sessions.map(({ closed }) => closed));
      await settledWithin(allClosed, graceMs);
    }
    const end = { closeCode: CLOSE_CODES.gatewayClosing, reason: "closing" } as const;
    await Promise.all(sessions.map((session) => session.end(end)));
    await this.#httpServer?.close();
  }

  #rejectIfClosed(): void {
    if (this.#closed) invalid("The gateway is closed");
  }

  /** Returns the listener that was added for `upgrade` events. */
  #serve(server: Server, ownHosts: readonly string[]): UpgradeListener {
    const admission = new Admission(this.#options, ownHosts, server.maxHeadersCount);
    const onUpgrade: UpgradeListener = (request, socket, head) => {
      if (admission.hasGatewayPath(request)) {
        const upgrade = { request, socket, head };
        void this.#upgrades.handle(admission, upgrade, (page) => this.#open(request, page));
      } else if (server.listeners("upgrade")[0] === onUpgrade && this.#isUnserved(server, request)) {
        // Node removes its own error listener from a socket before the `upgrade` event.
        socket.on("error", () => {});
        refuse(socket, { status: 404, reason: "path" }, new Visit(request, socket, this.#options));
      }
    };
    server.on("upgrade", Object.assign(onUpgrade, { [PATH]: this.#options.path }));
    return onUpgrade;
  }

  /** Whether every `upgrade` listener is a gateway's, and none serves the request. */
  #isUnserved(server: Server, request: IncomingMessage): boolean {
    return servedPaths(server).every((paths) => paths !== undefined && !paths.includes(pathOf(request)));
  }

  /** A reverse proxy that does not forward the Upgrade header turns a page's request into this one. */
  #onPlainRequest(request: IncomingMessage): void {
    if (!this.#options.path.includes(pathOf(request))) return;
    new Visit(request, request.socket, this.#options).emit("refused", { reason: "no-upgrade", status: 404 });
  }

  #open(request: IncomingMessage, page: OpenPage): void {
    const { visit } = page;
    const session = new PageSession(page, this.#upstreamOf(request, visit), this.#options, () =>
      visit.emit("ready"),
    );
    this.#pages.add(session, visit);
    visit.countBytes();
    visit.emit("connected");
    void session.closed.then(() => {
      const { reason, closeCode, error } = session;
      if (reason === "upstream-unreachable") this.readiness.dialFailed();
      visit.emit("closed", { reason, closeCode, ...(error === undefined ? {} : { error }) });
    });
  }

  /** Apart from `#open`, whose listeners would otherwise keep the request for as long as the page is connected. */
  #upstreamOf(request: IncomingMessage, { id, identity }: Visit): () => Promise<Transport> {
    const { upstream } = this.#options;
    return async () => {
      // Deferred, because `upstream` may call close(), which must find this session in the set.
      await undefined;
      if (typeof upstream !== "function") return upstream;
      const transport = await upstream(request, { id, user: identity.user });
      if (typeof transport?.connect === "function") return transport;
      return invalid(`upstream must return a transport, got ${received(transport)}`);
    };
  }
}
