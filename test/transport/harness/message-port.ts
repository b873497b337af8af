import { bridge, messagePort, type Transport } from "../../../src/index.ts";
import { AsyncQueue } from "../../support/async-queue.ts";
import { type PortMessage, PortPeer } from "../../support/port-peer.ts";
import type { Harness, Peer } from "./harness.ts";

/** A minimal bridge with the server behind it. */
class PortServer implements Peer {
  readonly peer = new PortPeer();
  readonly #received = new AsyncQueue<string | undefined>();
  readonly #onAccepted: () => void;
  #backlog: unknown[] | undefined;
  #flushed: () => void = () => {};

  constructor(onAccepted: () => void) {
    this.#onAccepted = onAccepted;
    this.peer.onMessage = (message) => {
      if (this.#backlog) this.#backlog.push(message);
      else this.#read(message);
    };
    void this.peer.gone.then(() => this.#received.push(undefined));
  }

  receive(): Promise<string | undefined> {
    return this.#received.next();
  }

  send(...frames: string[]): void {
    for (const frame of frames) this.peer.port.postMessage(frame);
  }

  async flushed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#flushed = resolve;
      this.peer.post("ping");
    });
  }

  pause(): void {
    this.#backlog = [];
  }

  resume(): void {
    const backlog = this.#backlog ?? [];
    this.#backlog = undefined;
    for (const message of backlog) this.#read(message);
  }

  end(): void {
    this.peer.post("goodbye");
    this.peer.port.close();
  }

  disappear(): void {
    this.peer.port.close();
  }

  #read(message: unknown): void {
    if (typeof message === "string") {
      this.#received.push(message);
      return;
    }
    const { type, attempt } = message as PortMessage;
    if (type === "hello") this.peer.post("opened", { attempt });
    if (type === "accepted") this.#onAccepted();
    if (type === "flush") this.peer.post("flushed");
    if (type === "ping") this.peer.post("pong");
    if (type === "pong") this.#flushed();
  }
}

/** `messagePort()` alone. */
export async function messagePortHarness(): Promise<Harness> {
  const servers: PortServer[] = [];
  const peers = new AsyncQueue<Peer>();
  const harness: Harness = {
    transport: messagePort(() => {
      const server: PortServer = new PortServer(() => peers.push(server));
      servers.push(server);
      harness.onAttempt?.();
      return server.peer.other;
    }),
    onAttempt: undefined,
    get attempts() {
      return servers.length;
    },
    peer: () => peers.next(),
    async allGone() {
      for (const { peer } of servers) await peer.gone;
    },
    async [Symbol.asyncDispose]() {
      for (const { peer } of servers) peer.port.close();
    },
  };
  return harness;
}

/** `messagePort()`, a bridge, and another transport behind it. */
export async function bridgedHarness(make: () => Promise<Harness>): Promise<Harness> {
  const behind = await make();
  const bridges: { ended: Promise<unknown> }[] = [];
  const transport: Transport = messagePort(() => {
    const { port1, port2 } = new MessageChannel();
    bridges.push(bridge(port2, behind.transport));
    return port1;
  });
  return {
    transport,
    get onAttempt() {
      return behind.onAttempt;
    },
    set onAttempt(onAttempt) {
      behind.onAttempt = onAttempt;
    },
    get attempts() {
      return behind.attempts;
    },
    peer: () => behind.peer(),
    async allGone() {
      await behind.allGone();
      for (const { ended } of bridges) await ended;
    },
    [Symbol.asyncDispose]: () => behind[Symbol.asyncDispose](),
  };
}
