import { setMaxListeners } from "node:events";
import { Agent, type ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { LazyExecServerClient, RemoteSocket } from "exec-server-sdk";
import { remoteStream } from "./remote-stream.ts";

/** Connections of one preview. Each is a process of the other machine. More requests wait. */
const MAX_CONNECTIONS = 32;
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
  readonly #closing = new AbortController();
  readonly #idle = new WeakMap<Duplex, NodeJS.Timeout>();
  #hosts: readonly string[] = LOOPBACK;

  constructor(client: TcpClient, port: number) {
    super({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
    this.#client = client;
    this.#port = port;
    setMaxListeners(0, this.#closing.signal);
  }

  /** @param callback Gets the connection, which is made later. */
  override createConnection(_: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    this.#connect().then(
      (socket) => callback?.(null, remoteStream(socket)),
      (error) => callback?.(error, undefined as never),
    );
  }

  override keepSocketAlive(stream: Duplex): boolean {
    if (this.#closing.signal.aborted) return false;
    const timer = setTimeout(() => stream.destroy(), IDLE_MS);
    stream.once("close", () => clearTimeout(timer));
    this.#idle.set(stream, timer);
    return true;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    clearTimeout(this.#idle.get(stream));
    request.reusedSocket = true;
  }

  /** Resets every connection, those that are being made included. */
  override destroy(): void {
    this.#closing.abort(new Error("The preview was closed"));
    super.destroy();
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

  #connectTo(host: string): Promise<RemoteSocket> {
    return this.#client.connectTcp({ host, port: this.#port, signal: this.#closing.signal });
  }
}
