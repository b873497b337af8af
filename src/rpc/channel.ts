import { encodeBase64 } from "../internal/base64.ts";
import { type Connection, closed } from "../transport/transport.ts";
import type { RequestFrame } from "./request-frame.ts";

/** What a peer does with its connection besides reading: it sends, pauses, pings, and keeps the process alive. */
export class Channel {
  readonly #connection: Connection;
  readonly #onFailure: (error: unknown) => void;
  #isPaused = false;
  #canPauseStill = true;
  #holds = 0;
  readonly #release = (): void => {
    if (--this.#holds === 0) this.#try(() => this.#connection.unref?.());
  };

  /** @param onFailure Called with what a custom transport throws. */
  constructor(connection: Connection, onFailure: (error: unknown) => void) {
    this.#connection = connection;
    this.#onFailure = onFailure;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  /** Whether this side can pause the connection. */
  get canPause(): boolean {
    return this.#connection.flow !== undefined;
  }

  /** Whether this side has paused the connection: silence then says nothing about the server. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Stops or continues the delivery of frames. Has no effect where `canPause` is false. */
  setPaused(isPaused: boolean): void {
    if (isPaused === this.#isPaused || (isPaused && !this.#canPauseStill)) return;
    this.#isPaused = isPaused;
    this.#try(() => (isPaused ? this.#connection.flow?.pause() : this.#connection.flow?.resume()));
  }

  /** Continues the delivery for good: a paused socket would not read the close frame of the server. */
  stopPausing(): void {
    this.#canPauseStill = false;
    this.setPaused(false);
  }

  /** Bytes that have not left this process yet; 0 where the transport does not know. */
  get queuedBytes(): number {
    return this.#connection.flow?.queuedBytes ?? 0;
  }

  /** Whether the transport can ping. */
  get canPing(): boolean {
    return this.#connection.ping !== undefined;
  }

  /** Resolves with the pong of the server, or when the connection has ended. Undefined where the transport can't ping. */
  ping(): Promise<void> | undefined {
    return this.#try(() => this.#connection.ping?.());
  }

  /** Keeps a Node process alive until the returned function is called, which must happen once. */
  hold(): () => void {
    if (this.#holds++ === 0) this.#try(() => this.#connection.ref?.());
    return this.#release;
  }

  send(frame: RequestFrame): void {
    this.#try(() => this.#send(frame));
  }

  /** Never rejects, and takes a bounded time. */
  close(): Promise<void> {
    return closed(this.#connection);
  }

  #try<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#onFailure(error);
      return undefined;
    }
  }

  #send(frame: RequestFrame): void {
    if (typeof frame === "string") {
      this.#connection.send(frame);
      return;
    }
    const { head, bytes, tail } = frame;
    if (this.#connection.sendPayload) this.#connection.sendPayload(head, bytes, tail);
    else this.#connection.send(head + encodeBase64(bytes) + tail);
  }
}
