import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** The HTTP server of `listen()`: serves the gateway and `/readyz` only. Closing it closes every socket. */
export class HttpServer {
  readonly server: Server;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined;

  constructor(handshakeTimeoutMs: number) {
    // Node itself ends incomplete requests and silent sockets, but only as often as it checks for them.
    const limits = { headersTimeout: handshakeTimeoutMs, requestTimeout: handshakeTimeoutMs };
    const connectionsCheckingInterval = Math.min(handshakeTimeoutMs, 1_000);
    this.server = createServer({ ...limits, connectionsCheckingInterval }, (request, response) => {
      response.writeHead(request.url === "/readyz" ? 200 : 404, { connection: "close" }).end();
    });
    this.server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Resolves when the server listens, or was closed in the meantime. */
  async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject).once("close", resolve).listen(port, host, resolve);
    });
    // A later error concerns one connection that could not be accepted.
    this.server.on("error", () => {});
  }

  get address(): AddressInfo {
    return this.server.address() as AddressInfo;
  }

  /** Accepts no further connections. */
  stopListening(): void {
    if (this.server.listening) this.#closed = new Promise((resolve) => this.server.close(() => resolve()));
  }

  async close(): Promise<void> {
    this.stopListening();
    for (const socket of this.#sockets) socket.destroy();
    await this.#closed;
  }
}
