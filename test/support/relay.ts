import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocket, WebSocketServer } from "ws";

/** A message as a client sent it. */
export interface Received {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
}

/** What a relay answers by itself; undefined for what it leaves to the server. */
export type Intercept = (
  request: Received,
) => { result: unknown } | { error: { code: number; message: string } } | undefined;

/** Stands between a client and a server, on real sockets: passes every frame on, and writes down what was asked. */
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
    this.#server.on("connection", (client) => this.#join(client));
  }

  static async start(upstream: string, intercept: Intercept = () => undefined): Promise<Relay> {
    const relay = new Relay(upstream, intercept);
    await once(relay.#server, "listening");
    return relay;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How often a method was asked for. */
  count(method: string): number {
    return this.received.filter((message) => message.method === method).length;
  }

  /** Resolves with the n-th message of this method, past or to come. */
  async request(method: string, n = 1): Promise<Received> {
    const ofMethod = () => this.received.filter((message) => message.method === method);
    await this.until(() => ofMethod().length >= n);
    return ofMethod()[n - 1] as Received;
  }

  /** Resolves when something holds that can only change with a message of a client's. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: WebSocket): void {
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
