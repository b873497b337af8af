import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Transport } from "../../../src/transport/transport.ts";
import { AsyncQueue } from "../../support/async-queue.ts";
import type { Harness, Peer } from "./harness.ts";

class WebSocketPeer implements Peer {
  readonly #socket: WebSocket;
  readonly #received = new AsyncQueue<string | undefined>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("message", (data) => this.#received.push(String(data)));
    socket.on("close", () => this.#received.push(undefined));
  }

  receive(): Promise<string | undefined> {
    return this.#received.next();
  }

  send(...frames: string[]): void {
    for (const frame of frames) this.#socket.send(frame);
  }

  async flushed(): Promise<void> {
    this.#socket.ping();
    await once(this.#socket, "pong");
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.close(1000);
  }

  disappear(): void {
    this.#socket.terminate();
  }
}

export async function webSocketHarness(transportTo: (url: string) => Transport): Promise<Harness> {
  const http = createServer();
  const sockets: Socket[] = [];
  const peers = new AsyncQueue<Peer>();
  http.on("connection", (socket) => {
    sockets.push(socket);
    harness.onAttempt?.();
  });
  new WebSocketServer({ server: http }).on("connection", (socket) => peers.push(new WebSocketPeer(socket)));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");

  const harness: Harness = {
    transport: transportTo(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`),
    onAttempt: undefined,
    get attempts() {
      return sockets.length;
    },
    peer: () => peers.next(),
    async allGone() {
      for (const socket of sockets) {
        // A paused socket emits no `close`.
        socket.resume();
        if (!socket.closed) await once(socket, "close");
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      http.close();
      await once(http, "close");
    },
  };
  return harness;
}
