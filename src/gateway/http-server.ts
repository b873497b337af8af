import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** An HTTP server for nothing but the gateway and `/readyz`; closing it leaves no socket behind. */
export class OwnServer {
  readonly http: Server;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined;

  constructor(handshakeTimeoutMs: number) {
    // Requests that never end, and sockets on which none begins, are cut by Node itself, which has to look often enough.
    const limits = { headersTimeout: handshakeTimeoutMs, requestTimeout: handshakeTimeoutMs };
    const connectionsCheckingInterval = Math.min(handshakeTimeoutMs, 1_000);
    this.http = createServer({ ...limits, connectionsCheckingInterval }, (request, response) => {
      response.writeHead(request.url === "/readyz" ? 200 : 404, { connection: "close" }).end();
    });
    this.http.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Resolves when it listens, or has been closed meanwhile. */
  async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.http.once("error", reject).once("close", resolve).listen(port, host, resolve);
    });
    // From now on an error is about a single connection that could not be accepted.
    this.http.on("error", () => {});
  }

  /** Where it listens. */
  get address(): AddressInfo {
    return this.http.address() as AddressInfo;
  }

  /** Accepts nobody any more. */
  stopListening(): void {
    if (this.http.listening) this.#closed = new Promise((resolve) => this.http.close(() => resolve()));
  }

  async close(): Promise<void> {
    this.stopListening();
    for (const socket of this.#sockets) socket.destroy();
    await this.#closed;
  }
}
