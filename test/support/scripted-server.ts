import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** A message as the client sent it. */
export interface Received {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** The server's side of one connection, to be played by a test. */
export class ScriptedConnection {
  readonly socket: WebSocket;
  readonly sessionId: string;
  /** Everything the client sent, in order. */
  readonly received: Received[] = [];
  readonly #waiters = new Set<() => void>();

  constructor(socket: WebSocket, sessionId: string) {
    this.socket = socket;
    this.sessionId = sessionId;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  answer(request: Received, result: unknown): void {
    this.send({ id: request.id, result });
  }

  reject(request: Received, code: number, message: string): void {
    this.send({ error: { code, message }, id: request.id });
  }

  notify(method: string, params: unknown): void {
    this.send({ method, params });
  }

  output(processId: unknown, seq: number, text: string, stream = "stdout"): void {
    this.notify("process/output", { processId, seq, stream, chunk: Buffer.from(text).toString("base64") });
  }

  /** The connection breaks without a goodbye. */
  terminate(): void {
    this.socket.terminate();
  }

  /** Resolves with the n-th message of this method, past or to come. */
  async request(method: string, n = 1): Promise<Received> {
    for (;;) {
      const found = this.received.filter((message) => message.method === method)[n - 1];
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  /** @internal */
  onMessage(message: Received): void {
    this.received.push(message);
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}

export interface Script {
  /** Plays everything but the handshake. @default no answer */
  readonly onRequest?: (connection: ScriptedConnection, request: Received) => void;
  /** Plays the handshake. @default answers with the next session id */
  readonly onInitialize?: (connection: ScriptedConnection, request: Received) => void;
}

/** A server that does what a test tells it, for what the real one can't be made to do. Real sockets, a port of its own. */
export class ScriptedServer implements AsyncDisposable {
  readonly connections: ScriptedConnection[] = [];
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiters = new Set<() => void>();
  script: Script;

  private constructor(script: Script) {
    this.script = script;
    this.#http = createServer((_, response) => response.writeHead(426).end());
    this.#http.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    new WebSocketServer({ server: this.#http, maxPayload: 64 * 1024 * 1024 }).on("connection", (socket) =>
      this.#accept(socket),
    );
  }

  static async start(script: Script = {}): Promise<ScriptedServer> {
    const server = new ScriptedServer(script);
    server.#http.listen(0, "127.0.0.1");
    await once(server.#http, "listening");
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Resolves with the n-th connection, past or to come. */
  async connection(n = 1): Promise<ScriptedConnection> {
    for (;;) {
      const found = this.connections[n - 1];
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#http.close();
    await once(this.#http, "close");
  }

  #accept(socket: WebSocket): void {
    const connection = new ScriptedConnection(socket, `session-${this.connections.length + 1}`);
    this.connections.push(connection);
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as Received;
      connection.onMessage(message);
      if (message.method === "initialize") {
        if (this.script.onInitialize) this.script.onInitialize(connection, message);
        else {
          connection.answer(message, {
            sessionId: connection.sessionId,
            environmentInfo: { cwd: "file:///work", platformOs: "linux" },
          });
        }
      } else if (message.id !== undefined && message.method !== undefined) {
        this.script.onRequest?.(connection, message);
      }
    });
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}
