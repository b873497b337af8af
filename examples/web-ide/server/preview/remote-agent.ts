import { Agent, type ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { LazyExecServerClient, RemoteSocket } from "exec-server-sdk";
import { remoteStream } from "./remote-stream.ts";
import { within } from "./within.ts";

/** Connections of one preview. Each is a process of the other machine. More requests wait. */
const MAX_CONNECTIONS = 32;
/** Milliseconds for which `close` waits for the other machine, which can be stopped. */
const CLOSING_MS = 2_000;
/** Milliseconds after which an unused connection is closed: sooner than dev servers close theirs. */
const IDLE_MS = 1_000;

/** The addresses that `localhost` can mean. The second is tried where nothing listens on the first. */
const LOOPBACK = ["127.0.0.1", "::1"] as const;

/** What an agent needs of a client. */
export type TcpClient = Pick<LazyExecServerClient, "connectTcp">;

/** Makes the HTTP connections of one preview: always to loopback of the other machine, always to the same port. */
export class RemoteAgent extends Agent {
  readonly #client: TcpClient;
  readonly #port: number;
  /** Connections and attempts, until nothing is left of them on the other machine. */
  readonly #connections = new Set<Promise<void>>();
  readonly #streams = new Set<Duplex>();
  readonly #idle = new WeakMap<Duplex, NodeJS.Timeout>();
  readonly #attempts = new Set<AbortController>();
  #isClosed = false;
  #hosts: readonly string[] = LOOPBACK;

  constructor(client: TcpClient, port: number) {
    super({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
    this.#client = client;
    this.#port = port;
  }

  /** @param callback Gets the connection, which is made later. */
  override createConnection(_: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const connection = this.#open((error, stream) => callback?.(error, stream as Duplex));
    this.#connections.add(connection);
    void connection.then(() => this.#connections.delete(connection));
  }

  override keepSocketAlive(stream: Duplex): boolean {
    this.#idle.set(
      stream,
      setTimeout(() => stream.destroy(), IDLE_MS),
    );
    return !this.#isClosed;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    clearTimeout(this.#idle.get(stream));
    super.reuseSocket(stream, request);
  }

  /** Resets every connection. Resolves when their processes have ended, or after 2 s of an exec-server that does not answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.destroy();
    for (const attempt of this.#attempts) attempt.abort();
    await within(CLOSING_MS, Promise.all(this.#connections));
  }

  /** Resolves when the connection, or the attempt, has ended. */
  async #open(callback: (error: Error | null, stream?: Duplex) => void): Promise<void> {
    let socket: RemoteSocket;
    try {
      // Requests that have waited for a place ask for one when the others end.
      if (this.#isClosed) throw new Error("The preview is closed");
      socket = await this.#connect();
    } catch (error) {
      return callback(error as Error);
    }
    const stream = remoteStream(socket);
    this.#streams.add(stream);
    const closed = new Promise((resolve) => stream.once("close", resolve));
    callback(null, stream);
    if (this.#isClosed) stream.destroy();
    await closed;
    clearTimeout(this.#idle.get(stream));
    this.#streams.delete(stream);
    await socket.close();
  }

  async #connect(): Promise<RemoteSocket> {
    const [first, second] = this.#hosts as [string, string];
    try {
      return await this.#connectTo(first);
    } catch (error) {
      if ((error as { kind?: unknown }).kind !== "refused") throw error;
      // The error of the first address counts: a machine may not have the second.
      const socket = await this.#connectTo(second).catch(() => Promise.reject(error));
      this.#hosts = [second, first];
      return socket;
    }
  }

  async #connectTo(host: string): Promise<RemoteSocket> {
    const attempt = new AbortController();
    this.#attempts.add(attempt);
    try {
      return await this.#client.connectTcp({ host, port: this.#port, signal: attempt.signal });
    } finally {
      this.#attempts.delete(attempt);
    }
  }
}
