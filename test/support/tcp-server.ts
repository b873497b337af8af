import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { type AddressInfo, createServer, type Socket, type Server as TcpServer } from "node:net";
import { AsyncQueue } from "./async-queue.ts";

/** A server whose raw sockets or requests are handled by the test. Destroys all sockets when disposed. */
export class RawServer<Accepted> implements AsyncDisposable {
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();
  readonly #queue: AsyncQueue<Accepted>;
  /** How many sockets were accepted. */
  accepted = 0;

  private constructor(server: TcpServer, queue: AsyncQueue<Accepted>) {
    this.#server = server;
    this.#queue = queue;
    server.on("connection", (socket: Socket) => {
      this.accepted++;
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Accepts TCP connections and sends nothing. */
  static async silent(): Promise<RawServer<Socket>> {
    const queue = new AsyncQueue<Socket>();
    return await RawServer.#listen(
      createServer((socket) => queue.push(socket.resume())),
      queue,
    );
  }

  /** Answers every HTTP request, upgrades included, with the same listener. */
  static async http(answer: RequestListener): Promise<RawServer<IncomingMessage>> {
    const queue = new AsyncQueue<IncomingMessage>();
    const server = createHttpServer((request, response) => {
      queue.push(request);
      answer(request, response);
    });
    return await RawServer.#listen(server, queue);
  }

  /** Completes the WebSocket handshake. The test reads and writes the raw bytes after it. */
  static async upgraded({
    first,
    header,
  }: {
    first?: Uint8Array;
    header?: string;
  } = {}): Promise<RawServer<Socket>> {
    const queue = new AsyncQueue<Socket>();
    // Half-open: the socket ends only when the test ends it.
    const server: Server = createHttpServer();
    server.on("upgrade", (request, socket: Socket) => {
      socket.allowHalfOpen = true;
      socket.resume();
      const accept = createHash("sha1")
        .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest("base64");
      const head = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        `Sec-WebSocket-Accept: ${accept}`,
        ...(header === undefined ? [] : [header]),
      ];
      socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), first ?? new Uint8Array()]));
      queue.push(socket);
    });
    return await RawServer.#listen(server, queue);
  }

  static async #listen<A>(server: TcpServer, queue: AsyncQueue<A>): Promise<RawServer<A>> {
    const raw = new RawServer(server, queue);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return raw;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next socket or request. */
  next(): Promise<Accepted> {
    return this.#queue.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;

/** The head of an unmasked, final WebSocket frame. */
export function frameHead(opcode: number, length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | opcode, length]);
  const head = Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

export function frame(opcode: number, payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([frameHead(opcode, bytes.length), bytes]);
}

/** A port of this machine without a listener. */
export async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
