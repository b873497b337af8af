import { utf8 } from "../internal/bytes.ts";
import type { WebSocketLike } from "../transport/websocket/connection.ts";
import { ABNORMAL_CLOSURE, type DialRefusal, type TestDial, type TestServerDoor } from "./channel.ts";
import { MemoryChannel } from "./memory-channel.ts";
import { Lane } from "./simplex-queue.ts";

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/** A client's WebSocket that leads to a test server in the same program. */
export class MemorySocket implements WebSocketLike {
  binaryType = "arraybuffer";
  readonly #listeners = new Map<string, ((event: unknown) => void)[]>();
  readonly #up = new Lane();
  readonly #down = new Lane();
  #readyState = CONNECTING;
  #channel: MemoryChannel | undefined;

  constructor(door: TestServerDoor, dial: TestDial) {
    void this.#dial(door, dial);
  }

  get readyState(): number {
    return this.#readyState;
  }

  get bufferedAmount(): number {
    return this.#up.queuedBytes;
  }

  addEventListener(type: string, listener: (event: unknown) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string, onSent?: () => void): void {
    if (this.#readyState !== OPEN) return;
    this.#up.push(utf8(data).length, () => {
      this.#channel?.receive(data);
      onSent?.();
    });
  }

  close(code = 1005, reason = ""): void {
    if (this.#readyState === CONNECTING) this.#end(ABNORMAL_CLOSURE, "");
    if (this.#readyState !== OPEN) return;
    this.#readyState = CLOSING;
    this.#up.push(0, () => this.#channel?.goodbye(code, reason));
  }

  terminate(): void {
    this.#up.push(0, () => this.#channel?.vanished());
    this.#end(ABNORMAL_CLOSURE, "");
  }

  pause(): void {
    this.#down.hold();
  }

  resume(): void {
    this.#down.release();
  }

  async #dial(door: TestServerDoor, dial: TestDial): Promise<void> {
    // Nothing happens yet while the client is still making the socket.
    await undefined;
    const refusal = await door.admit();
    if (this.#readyState !== CONNECTING) return;
    if (refusal && refusal.closeCode === undefined) return this.#refuse(refusal);
    this.#readyState = OPEN;
    const channel = new MemoryChannel(this.#up, this.#down, {
      onFrame: (data) => this.#emit("message", { data }),
      onError: (message) => this.#emit("error", { message, error: new Error(message) }),
      onEnd: (code, reason) => this.#end(code, reason),
    });
    this.#channel = channel;
    if (refusal) channel.close(refusal.closeCode as number, refusal.reason ?? "");
    else channel.receiver = door.accept(channel, dial);
    this.#emit("open", {});
  }

  /** In the words of the `ws` package, from which the client learns the status. */
  #refuse({ status }: DialRefusal): void {
    const error =
      status === undefined
        ? Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })
        : new Error(`Unexpected server response: ${status}`);
    this.#emit("error", { message: error.message, error });
    this.#end(ABNORMAL_CLOSURE, "");
  }

  #end(code: number, reason: string): void {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    // In a turn of its own, since it may be the answer to a call of the client's.
    queueMicrotask(() => this.#emit("close", { code, reason }));
  }

  #emit(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }
}
