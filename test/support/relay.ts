import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocket, WebSocketServer } from "ws";

/** A message of a client. */
export interface Received {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
}

/** Returns the relay's own response to a request; undefined to forward the request to the server. */
export type Intercept = (
  request: Received,
) => { result: unknown } | { error: { code: number; message: string } } | undefined;

/** A WebSocket proxy between client and server that records every message of the clients. */
export class Relay implements AsyncDisposable {
  /** Every request and notification of every client, in order. */
  readonly received: Received[] = [];
  intercept: Intercept;
  readonly #upstream: string;
  readonly #waiters = new Set<() => void>();
  readonly #server = new WebSocketServer({ port: 0, host: "127.0.0.1" });

  private constructor(upstream: string, intercept: Intercept) {
    this.#upstream = upstream;
    this.intercept = intercept;
    this.#server.on("connection", (client) => this.#proxy(client));
  }

  static async start(upstream: string, intercept: Intercept = () => undefined): Promise<Relay> {
    const relay = new Relay(upstream, intercept);
    await once(relay.#server, "listening");
    return relay;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many messages had this method. */
  count(method: string): number {
    return this.received.filter((message) => message.method === method).length;
  }

  /** Resolves with the n-th message of this method, past or future. */
  async request(method: string, n = 1): Promise<Received> {
    const ofMethod = () => this.received.filter((message) => message.method === method);
    await this.until(() => ofMethod().length >= n);
    return ofMethod()[n - 1] as Received;
  }

  /** Resolves when the condition holds. It is checked again after each message of a client. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  #proxy(client: WebSocket): void {
    const server = new WebSocket(this.#upstream, { perMessageDeflate: false });
    const early: RawData[] = [];
    for (const [side, other] of [
      [client, server],
      [server, client],
    ] as const) {
      side.on("error", () => {});
      side.once("close", () => other.terminate());
    }
    server.once("open", () => {
      for (const frame of early.splice(0)) server.send(String(frame));
    });
    server.on("message", (frame) => client.send(String(frame)));
    client.on("message", (frame) => {
      const message = JSON.parse(String(frame)) as Received;
      this.received.push(message);
      for (const wake of this.#waiters) wake();
      this.#waiters.clear();
      const answer = message.id === undefined ? undefined : this.intercept(message);
      if (answer) client.send(JSON.stringify({ id: message.id, ...answer }));
      else if (server.readyState === WebSocket.CONNECTING) early.push(frame);
      else server.send(String(frame));
    });
  }
}
