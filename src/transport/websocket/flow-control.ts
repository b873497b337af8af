import type { FlowControl } from "../transport.ts";
import type { Corkable, ExtendedWebSocket } from "./socket.ts";

const NO_BYTES = new Uint8Array();

/** Backpressure of a `ws` socket, and the corking of its writes. */
export class WebSocketFlowControl implements FlowControl {
  readonly #socket: ExtendedWebSocket;
  readonly #stream: Corkable | undefined;
  #isCorked = false;
  /** Frames passed to the socket that have not left this process yet. */
  #inFlight = 0;
  #onDrained: (() => void)[] = [];
  // One callback for all frames, so that a frame allocates none.
  readonly #onSent = (): void => {
    if (--this.#inFlight === 0) this.#resolveDrained();
  };

  constructor(socket: ExtendedWebSocket, stream?: Corkable) {
    this.#socket = socket;
    this.#stream = stream;
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount ?? 0;
  }

  send(frame: string): void {
    this.#beforeSend();
    if (this.#socket.sendPayload) this.#socket.sendPayload(frame, NO_BYTES, "", this.#onSent);
    else this.#socket.send(frame, this.#onSent);
  }

  readonly payloads = (head: string, bytes: Uint8Array, tail: string): void => {
    this.#beforeSend();
    this.#socket.sendPayload?.(head, bytes, tail, this.#onSent);
  };

  pause(): void {
    this.#socket.pause?.();
  }

  resume(): void {
    this.#socket.resume?.();
  }

  drained(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onDrained.push(resolve));
  }

  /** The socket has closed. */
  end(): void {
    this.#inFlight = 0;
    this.#resolveDrained();
  }

  /** Corks the stream for one turn: frames come in bursts, and one system call each costs more than all other work. */
  #beforeSend(): void {
    this.#inFlight++;
    const stream = this.#stream;
    if (!stream || this.#isCorked) return;
    this.#isCorked = true;
    stream.cork();
    queueMicrotask(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }

  #resolveDrained(): void {
    const resolvers = this.#onDrained;
    this.#onDrained = [];
    for (const resolve of resolvers) resolve();
  }
}
