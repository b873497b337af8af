import type { FlowControl } from "../transport.ts";

/** What the brake needs of a `ws` socket. */
export interface BrakeableSocket extends Partial<Corkable> {
  readonly bufferedAmount?: number;
  send(data: string, onSent?: () => void): void;
  sendPayload?(head: string, bytes: Uint8Array, tail: string, onSent: () => void): void;
  pause?(): void;
  resume?(): void;
}

/** The socket below; what is written between the two calls leaves as one. */
export interface Corkable {
  /** From now on what is written waits. */
  cork(): void;
  /** It waits no longer. */
  uncork(): void;
}

const NOTHING = new Uint8Array();

/** The brake of a `ws` socket. */
export class SocketFlowControl implements FlowControl {
  readonly #socket: BrakeableSocket;
  readonly #below: Corkable | undefined;
  #corked = false;
  readonly #onSent = (): void => {
    if (--this.#sending === 0) this.#tellDrained();
  };
  #sending = 0;
  #waiting: (() => void)[] = [];

  constructor(socket: BrakeableSocket, below?: Corkable) {
    this.#socket = socket;
    this.#below = below;
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount ?? 0;
  }

  send(frame: string): void {
    this.#beforeSend();
    if (this.#socket.sendPayload) this.#socket.sendPayload(frame, NOTHING, "", this.#onSent);
    else this.#socket.send(frame, this.#onSent);
  }

  sendPayload(head: string, bytes: Uint8Array, tail: string): void {
    this.#beforeSend();
    this.#socket.sendPayload?.(head, bytes, tail, this.#onSent);
  }

  pause(): void {
    this.#socket.pause?.();
  }

  resume(): void {
    this.#socket.resume?.();
  }

  drained(): Promise<void> {
    if (this.#sending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Nothing will be sent any more. */
  end(): void {
    this.#sending = 0;
    this.#tellDrained();
  }

  /** Frames mostly come several at once, and a system call for each costs more than all the rest of passing it on. */
  #beforeSend(): void {
    this.#sending++;
    const below = this.#below;
    if (!below || this.#corked) return;
    this.#corked = true;
    below.cork();
    queueMicrotask(() => {
      this.#corked = false;
      below.uncork();
    });
  }

  #tellDrained(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
