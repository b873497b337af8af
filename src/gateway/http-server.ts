import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Readiness } from "./readiness.ts";

/** Where to listen, and the certificate with its key as PEM for TLS. */
export type ListenTarget = (
  | { readonly port: number; readonly host: string }
  | { readonly socketPath: string }
) & { readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined };

/** What is served besides upgrades. */
interface Requests {
  readonly readiness: Readiness;
  /** Called for a request other than those for the health of the gateway, before it gets 404. */
  readonly onRequest: (request: IncomingMessage) => void;
}

const ALL_ADDRESSES: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** The HTTP server of `listen()`: serves the gateway, `/livez` and `/readyz` only. Closing it closes every socket. */
export class HttpServer {
  readonly server: Server;
  readonly #target: ListenTarget;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined;

  constructor(target: ListenTarget, handshakeTimeoutMs: number, { readiness, onRequest }: Requests) {
    this.#target = target;
    // Node itself ends incomplete requests and silent sockets, but only as often as it checks for them.
    const limits = {
      headersTimeout: handshakeTimeoutMs,
      requestTimeout: handshakeTimeoutMs,
      connectionsCheckingInterval: Math.min(handshakeTimeoutMs, 1_000),
    };
    this.server = target.tls
      ? createTlsServer({ ...limits, handshakeTimeout: handshakeTimeoutMs, ...target.tls })
      : createServer(limits);
    this.server.on("request", async (request: IncomingMessage, response) => {
      const answer = await readiness.answer(request);
      if (!answer) onRequest(request);
      response.writeHead(answer?.status ?? 404, { connection: "close" }).end(answer?.text);
    });
    this.server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Resolves when the server listens, or was closed in the meantime. */
  async listen(): Promise<void> {
    const target = this.#target;
    const where = "socketPath" in target ? { path: target.socketPath } : target;
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject).once("close", resolve).listen(where, resolve);
    });
    // A later error concerns one connection that could not be accepted.
    this.server.on("error", () => {});
  }

  /** Host and port for a URL. On a Unix socket: its path. */
  get authority(): string {
    const address = this.server.address() as AddressInfo | string;
    if (typeof address === "string") return address;
    const host = ALL_ADDRESSES[address.address] ?? address.address;
    return `${host.includes(":") ? `[${host}]` : host}:${address.port}`;
  }

  /** The names of this server in a Host header, besides the loopback names. */
  get names(): string[] {
    const address = this.server.address() as AddressInfo | string;
    return typeof address === "string" || !("host" in this.#target)
      ? []
      : [address.address, this.#target.host];
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
