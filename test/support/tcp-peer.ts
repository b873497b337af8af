import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { AsyncQueue } from "./async-queue.ts";

/** A TCP server that hands each connection to the test; half-open by default: each direction is ended on its own. */
export class TcpPeer implements AsyncDisposable {
  readonly #server: Server;
  readonly #accepted = new AsyncQueue<Socket>();
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      // A killed program resets its connection.
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
      this.#accepted.push(socket);
    });
  }

  static async listen({ host = "127.0.0.1", allowHalfOpen = true } = {}): Promise<TcpPeer> {
    const server = createServer({ allowHalfOpen, noDelay: true });
    const peer = new TcpPeer(server);
    server.listen(0, host);
    await once(server, "listening");
    return peer;
  }

  /** Sends back what it gets, until the other side has ended, and then ends. */
  static async echo(): Promise<TcpPeer> {
    const peer = await TcpPeer.listen();
    peer.#server.on("connection", (socket) => socket.pipe(socket));
    return peer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next connection. */
  async accept(): Promise<Socket> {
    return await this.#accepted.next();
  }

  /** Number of connections that are open. */
  get size(): number {
    return [...this.#sockets].filter((socket) => !socket.destroyed).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, "close");
  }
}

/** Everything that a socket receives up to the end of that direction. Rejects if the connection is reset. */
export async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks);
}

/** How a connection ended for the peer: the code of its error, or undefined for an end. */
export async function outcome(socket: Socket): Promise<string | undefined> {
  return await new Promise((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.once("end", () => resolve(undefined));
    socket.resume();
  });
}
