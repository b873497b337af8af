import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { UsageError } from "../errors.ts";
import { settledWithin } from "../internal/timer.ts";
import { Admission } from "./admission.ts";
import { resolveOptions } from "./complete-options.ts";
import { OwnServer } from "./http-server.ts";
import { CLOSE_CODES, type GatewayOptions, type PageEvent, type ResolvedGatewayOptions } from "./options.ts";
import { PageSession } from "./page-session.ts";
import { Handshakes, type OpenPage, refuse } from "./upgrade.ts";

/** Lets the pages of a web application reach an exec-server. */
export interface Gateway {
  /**
   * Serves on a port of its own, together with `/readyz`.
   * @default port 0, which the system chooses, on 127.0.0.1
   * @throws UsageError `ERR_INVALID_ARGUMENT` when it listens already or is closed; the system's own error for a port
   * that can't be had.
   */
  listen(options?: { readonly port?: number; readonly host?: string }): Promise<{
    /** For `webSocket()`, with the port that was chosen. */
    readonly url: string;
  }>;
  /**
   * Serves on an HTTP server of yours. Requests for other paths are left to other `upgrade` listeners; if there is
   * none, they get 404.
   * @throws UsageError `ERR_INVALID_ARGUMENT` without `allowedHosts`.
   */
  attach(server: Server): void;
  /**
   * Takes no more pages, and ends those there are; for `graceMs` they may end by themselves. Called again, it can only
   * make things shorter. Your own server goes on. @default 0
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Makes the missing piece between a browser and an exec-server, which refuses every request with an Origin header. It
 * gives code execution to whoever gets in, so it is closed by default: exact origins, known hosts, and `authorize`.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for options that would leave it open.
 */
export function createGateway(options: GatewayOptions): Gateway {
  return new ExecServerGateway(resolveOptions(options));
}

/** The longest a timer can wait. */
const MAX_GRACE_MS = 2 ** 31 - 1;

class ExecServerGateway implements Gateway {
  readonly #options: ResolvedGatewayOptions;
  readonly #handshakes: Handshakes;
  readonly #links = new Set<PageSession>();
  readonly #detach: (() => void)[] = [];
  #own: OwnServer | undefined;
  #closed = false;

  constructor(options: ResolvedGatewayOptions) {
    this.#options = options;
    this.#handshakes = new Handshakes(options, () => this.#links.size >= options.maxConnections);
  }

  async listen({ port = 0, host = "127.0.0.1" } = {}): Promise<{ url: string }> {
    this.#refuseIfClosed();
    if (this.#own) throw new UsageError("ERR_INVALID_ARGUMENT", "A gateway listens once");
    const own = new OwnServer(this.#options.handshakeTimeoutMs);
    this.#own = own;
    try {
      await own.listen(port, host);
      // Closed in the meantime, when there may have been nothing to close yet.
      if (this.#closed) await own.close();
      this.#refuseIfClosed();
      const { address, port: bound } = own.address;
      this.#serve(own.http, new Admission(this.#options, [address, host]));
      const shown = address.includes(":") ? `[${address}]` : address;
      return { url: `ws://${shown}:${bound}${this.#options.path}` };
    } catch (error) {
      this.#own = undefined;
      throw error;
    }
  }

  attach(server: Server): void {
    this.#refuseIfClosed();
    if (this.#options.allowedHosts.length === 0) {
      throw new UsageError(
        "ERR_INVALID_ARGUMENT",
        "attach() needs allowedHosts: the names your server is reached by",
      );
    }
    this.#serve(server, new Admission(this.#options, []));
  }

  async close({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    this.#closed = true;
    for (const detach of this.#detach.splice(0)) detach();
    this.#handshakes.end();
    this.#own?.stopListening();
    const links = [...this.#links];
    if (graceMs > 0) {
      await settledWithin(Promise.all(links.map((link) => link.over)), Math.min(graceMs, MAX_GRACE_MS));
    }
    await Promise.all(links.map((link) => link.end(CLOSE_CODES.gatewayClosing)));
    await this.#own?.close();
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new UsageError("ERR_INVALID_ARGUMENT", "The gateway is closed");
  }

  #serve(server: Server, admission: Admission): void {
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (admission.isOurs(request)) {
        void this.#handshakes.take(admission, request, socket, head, (page) => this.#link(request, page));
      } else if (server.listenerCount("upgrade") === 1) {
        // Node no longer looks after a socket that somebody listens for.
        socket.on("error", () => {});
        refuse(socket, 404);
      }
    };
    server.on("upgrade", onUpgrade);
    this.#detach.push(() => server.off("upgrade", onUpgrade));
  }

  #link(request: IncomingMessage, page: OpenPage): void {
    const { upstream } = this.#options;
    const origin = request.headers.origin ?? "";
    const transport = async () => {
      // Not at once: whatever is done there, be it close(), must find the link among the others.
      await undefined;
      return typeof upstream === "function" ? await upstream(request) : upstream;
    };
    const link = new PageSession(page, transport, this.#options);
    this.#links.add(link);
    this.#tell({ state: "connected", origin });
    void link.over.then(() => {
      this.#links.delete(link);
      this.#tell({ state: "closed", origin, closeCode: link.closeCode, error: link.error });
    });
  }

  #tell(event: PageEvent): void {
    try {
      this.#options.onPage(event);
    } catch {
      // A listener's failure is its own.
    }
  }
}
