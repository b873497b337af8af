import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type {
  ConnectContext,
  Connection,
  ConnectionEnd,
  ConnectionReceiver,
  Transport,
} from "../../src/transport/transport.ts";

/** Turns of the event loop in which the client sends nothing more. What it still has to do by itself takes fewer. */
const QUIET_TURNS = 10;

/**
 * A transport to a distant server, on which time does not count. Responses wait until the server has answered all that was
 * sent and the client sends no more, then they arrive together: one round trip. So it counts the requests that had to
 * wait for the response to another one.
 */
export class RoundTrips implements Transport, AsyncDisposable {
  readonly reconnectable = true;
  readonly #relay = createServer((near) => this.#forward(near));
  readonly #target: URL;
  readonly #open: (url: string) => Transport;
  readonly #sockets = new Set<Socket>();
  #isDialling = false;
  #count = 0;
  #connection: CountedConnection | undefined;

  private constructor(target: string, open: (url: string) => Transport) {
    this.#target = new URL(target);
    this.#open = open;
  }

  /** @param open Makes the transport that dials. */
  static async start(target: string, open: (url: string) => Transport): Promise<RoundTrips> {
    const trips = new RoundTrips(target, open);
    trips.#relay.listen(0, "127.0.0.1");
    await once(trips.#relay, "listening");
    return trips;
  }

  /** The round trips of an operation until its promise resolves. */
  async of(operation: () => Promise<unknown>): Promise<number> {
    await this.#connection?.idle();
    const before = this.#count;
    await operation();
    const count = this.#count - before;
    // What the operation leaves behind, such as the close of a file, is none of the next one.
    await this.#connection?.idle();
    return count;
  }

  async connect(context: ConnectContext): Promise<Connection> {
    const { port } = this.#relay.address() as AddressInfo;
    this.#isDialling = true;
    try {
      const connection = await this.#open(`ws://127.0.0.1:${port}`).connect(context);
      this.#connection = new CountedConnection(connection, () => this.#count++);
      return this.#connection;
    } finally {
      this.#isDialling = false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#relay.close();
    await once(this.#relay, "close");
  }

  /** Counts the round trips of a dial: the handshake of TCP, and each piece that the client sends after a response. */
  #forward(near: Socket): void {
    const far = connect(Number(this.#target.port), this.#target.hostname);
    for (const [side, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(side.setNoDelay(true));
      side.on("error", () => {});
      side.once("close", () => {
        this.#sockets.delete(side);
        other.destroy();
      });
      side.pipe(other);
    }
    let isClientsTurn = true;
    this.#count++;
    near.on("data", () => {
      if (isClientsTurn && this.#isDialling) this.#count++;
      isClientsTurn = false;
    });
    far.on("data", () => {
      isClientsTurn = true;
    });
  }
}

class CountedConnection implements Connection {
  readonly #connection: Connection;
  readonly #onTrip: () => void;
  readonly #unanswered = new Set<unknown>();
  readonly #held: (string | Uint8Array)[] = [];
  #onIdle: (() => void)[] = [];
  #sent = 0;
  #receiver: ConnectionReceiver | undefined;

  constructor(connection: Connection, onTrip: () => void) {
    this.#connection = connection;
    this.#onTrip = onTrip;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiver = receiver;
    this.#connection.start({
      onFrame: (frame) => this.#hold(frame),
      onEnd: (end) => this.#end(end),
    });
  }

  send(frame: string): void {
    const { id } = JSON.parse(frame);
    if (id !== undefined) {
      this.#unanswered.add(id);
      this.#sent++;
    }
    this.#connection.send(frame);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Resolves when every request was answered. */
  async idle(): Promise<void> {
    while (this.#isWaiting && this.isOpen) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  get #isWaiting(): boolean {
    return this.#unanswered.size > 0 || this.#held.length > 0;
  }

  #hold(frame: string | Uint8Array): void {
    // The events of a process arrive in the round trip of its start.
    if (!this.#isWaiting) {
      this.#receiver?.onFrame(frame);
      return;
    }
    this.#held.push(frame);
    const { id } = JSON.parse(typeof frame === "string" ? frame : new TextDecoder().decode(frame));
    if (this.#unanswered.delete(id) && this.#unanswered.size === 0) void this.#deliverWhenQuiet();
  }

  async #deliverWhenQuiet(): Promise<void> {
    const sent = this.#sent;
    for (let turn = 0; turn < QUIET_TURNS; turn++) {
      await new Promise(setImmediate);
      // Sent without these responses, so it belongs to the same round trip.
      if (this.#sent !== sent) return;
    }
    this.#onTrip();
    this.#deliver();
  }

  #deliver(): void {
    for (const frame of this.#held.splice(0)) this.#receiver?.onFrame(frame);
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #end(end: ConnectionEnd): void {
    this.#unanswered.clear();
    this.#deliver();
    this.#receiver?.onEnd(end);
  }
}
