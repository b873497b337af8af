import { UsageError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { ByteLimit } from "./byte-limit.ts";
import { ABNORMAL_CLOSURE, type ChannelReceiver, type ServerChannel } from "./channel.ts";
import type { Lane } from "./simplex-queue.ts";

/** What the client's socket is told. */
interface ClientHalf {
  onFrame(data: string | ArrayBuffer): void;
  onError(message: string): void;
  onEnd(code: number, reason: string): void;
}

/** The server's end of a socket in memory. */
export class MemoryChannel implements ServerChannel {
  receiver: ChannelReceiver | undefined;
  readonly #up: Lane;
  readonly #down: Lane;
  readonly #client: ClientHalf;
  readonly #limit = new ByteLimit();
  #isOver = false;

  constructor(up: Lane, down: Lane, client: ClientHalf) {
    this.#up = up;
    this.#down = down;
    this.#client = client;
  }

  send(frame: string | Uint8Array): void {
    if (this.#isOver) return;
    const bytes = typeof frame === "string" ? utf8(frame) : new Uint8Array(frame);
    const data = typeof frame === "string" ? frame : bytes.buffer;
    if (this.#limit.take(bytes.length) === bytes.length) {
      this.#down.push(bytes.length, () => this.#client.onFrame(data));
    }
    if (this.#limit.isReached) this.drop();
  }

  sendBytes(): void {
    throw new UsageError(
      "ERR_UNSUPPORTED",
      "There is nothing below frames in memory: listen(server) has bytes",
    );
  }

  close(code: number, reason: string): void {
    this.#leave(() => {
      this.#client.onEnd(code, reason);
      this.#up.push(0, () => this.receiver?.onEnd({ closeCode: code, reason }));
    });
  }

  drop(): void {
    this.#leave(() => this.#client.onEnd(ABNORMAL_CLOSURE, ""));
    this.#up.clear();
    this.receiver?.onEnd({ closeCode: ABNORMAL_CLOSURE });
  }

  reset(): void {
    this.#down.clear();
    this.#isOver = false;
    this.drop();
  }

  dropAfterBytes(bytes: number): void {
    this.#limit.set(bytes);
    if (this.#limit.isReached) this.drop();
  }

  failThenClose(): void {
    this.#leave(() => this.#client.onError("Invalid WebSocket frame: invalid opcode 3"));
    this.#down.push(0, () => this.#client.onEnd(ABNORMAL_CLOSURE, ""));
    this.receiver?.onEnd({ closeCode: ABNORMAL_CLOSURE });
  }

  closeThenFail(code: number, reason: string): void {
    this.close(code, reason);
    this.#down.push(0, () => this.#client.onError("read ECONNRESET"));
  }

  pause(): void {
    this.#up.hold();
  }

  resume(): void {
    this.#up.release();
  }

  /** A frame of the client's. */
  receive(frame: string): void {
    this.receiver?.onFrame(frame);
  }

  /** The client takes its leave. */
  goodbye(code: number, reason: string): void {
    this.receiver?.onEnd({ closeCode: code, reason });
    this.#leave(() => this.#client.onEnd(code, reason));
  }

  /** The client is gone without a word. */
  vanished(): void {
    this.#isOver = true;
    this.receiver?.onEnd({ closeCode: ABNORMAL_CLOSURE });
  }

  #leave(told: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#down.push(0, told);
  }
}
