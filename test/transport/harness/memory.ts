import type { Connection, ConnectionEnd } from "../../../src/transport/transport.ts";
import { AsyncQueue } from "../../support/async-queue.ts";
import { memoryTransport } from "../../support/memory-transport.ts";
import type { Harness, Peer } from "./harness.ts";

type ServerSide = Connection & { end(end: ConnectionEnd): void };

class MemoryPeer implements Peer {
  readonly gone: Promise<void>;
  readonly #connection: ServerSide;
  readonly #received = new AsyncQueue<string | undefined>();

  constructor(connection: ServerSide) {
    this.#connection = connection;
    this.gone = new Promise((resolve) => {
      connection.start({
        onFrame: (frame) => this.#received.push(String(frame)),
        onEnd: () => {
          this.#received.push(undefined);
          resolve();
        },
      });
    });
  }

  receive(): Promise<string | undefined> {
    return this.#received.next();
  }

  send(...frames: string[]): void {
    for (const frame of frames) this.#connection.send(frame);
  }

  async flushed(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Not supported: nothing between the two sides can be paused. */
  pause(): void {}
  resume(): void {}

  end(): void {
    void this.#connection.close();
  }

  disappear(): void {
    this.#connection.end({ reason: "lost" });
  }
}

export async function memoryHarness(): Promise<Harness> {
  const accepted: MemoryPeer[] = [];
  const peers = new AsyncQueue<Peer>();
  const harness: Harness = {
    transport: memoryTransport((server) => {
      const peer = new MemoryPeer(server);
      accepted.push(peer);
      peers.push(peer);
      harness.onAttempt?.();
    }),
    onAttempt: undefined,
    get attempts() {
      return accepted.length;
    },
    peer: () => peers.next(),
    async allGone() {
      for (const { gone } of accepted) await gone;
    },
    async [Symbol.asyncDispose]() {
      for (const peer of accepted) peer.end();
    },
  };
  return harness;
}
