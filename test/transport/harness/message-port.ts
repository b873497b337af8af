import { bridge, messagePort, type Transport } from "../../../src/index.ts";
import { AsyncQueue } from "../../support/async-queue.ts";
import { PortPeer as Port, type PortMessage } from "../../support/port-peer.ts";
import type { Harness, Peer } from "./harness.ts";

/** Plays a bridge and the server behind it. */
class PortServer implements Peer {
  readonly port = new Port();
  readonly #received = new AsyncQueue<string | undefined>();
  readonly #onAccepted: () => void;
  #backlog: unknown[] | undefined;
  #flushed: () => void = () => {};

  constructor(onAccepted: () => void) {
    this.#onAccepted = onAccepted;
    this.port.answers = (message) => {
      if (this.#backlog) this.#backlog.push(message);
      else this.#read(message);
    };
    void this.port.gone.then(() => this.#received.push(undefined));
  }

  receive(): Promise<string | undefined> {
    return this.#received.next();
  }

  send(...frames: string[]): void {
    for (const frame of frames) this.port.port.postMessage(frame);
  }

  async flushed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#flushed = resolve;
      this.port.say("ping");
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
    this.port.say("goodbye");
    this.port.port.close();
  }

  vanish(): void {
    this.port.port.close();
  }

  #read(message: unknown): void {
    if (typeof message === "string") {
      this.#received.push(message);
      return;
    }
    const { type, attempt } = message as PortMessage;
    if (type === "hello") this.port.say("opened", { attempt });
    if (type === "accepted") this.#onAccepted();
    if (type === "flush") this.port.say("flushed");
    if (type === "ping") this.port.say("pong");
    if (type === "pong") this.#flushed();
  }
}

/** The transport alone. */
export async function messagePortHarness(): Promise<Harness> {
  const servers: PortServer[] = [];
  const peers = new AsyncQueue<Peer>();
  const harness: Harness = {
    transport: messagePort(() => {
      const server: PortServer = new PortServer(() => peers.push(server));
      servers.push(server);
      harness.onAttempt?.();
      return server.port.other;
    }),
    onAttempt: undefined,
    get attempts() {
      return servers.length;
    },
    peer: () => peers.next(),
    async allGone() {
      for (const { port } of servers) await port.gone;
    },
    async [Symbol.asyncDispose]() {
      for (const { port } of servers) port.port.close();
    },
  };
  return harness;
}

/** The transport, a bridge, and another transport behind it. */
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
