import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { AsyncQueue } from "./async-queue.ts";

/** A WebSocket server without the exec-server protocol. */
export class PlainWebSocketServer implements AsyncDisposable {
  /** Every upgrade request, in order. */
  readonly upgrades: IncomingMessage[] = [];
  readonly #server: WebSocketServer;
  readonly #accepted = new AsyncQueue<WebSocket>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket, request) => {
      socket.on("error", () => {});
      this.upgrades.push(request);
      this.#accepted.push(socket);
    });
  }

  static async start(options: ServerOptions = {}): Promise<PlainWebSocketServer> {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, ...options });
    await once(server, "listening");
    return new PlainWebSocketServer(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection. */
  next(): Promise<WebSocket> {
    return this.#accepted.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }
}
