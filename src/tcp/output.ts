import { ByteQueue } from "../internal/byte-queue.ts";
import { byteStream } from "../internal/byte-stream.ts";
import type { Bytes } from "../internal/bytes.ts";
import { deferred } from "../internal/deferred.ts";
import { CREDIT } from "./relays/relays.ts";

export interface SocketOutputOptions {
  /** Called with the number of bytes that were read. */
  onConsumed(bytes: number): void;
  /** Called when the reader wants no more. */
  onCancel(): void;
}

/** What the other side of a TCP connection sends, as a stream. */
export class SocketOutput {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #options: SocketOutputOptions;
  readonly #queue = new ByteQueue(Number.POSITIVE_INFINITY, "fail");
  readonly #fail: (reason: unknown) => void;
  #onRead = (): void => {};
  #received = 0;
  #total: number | undefined;
  #isCancelled = false;

  constructor(options: SocketOutputOptions) {
    this.#options = options;
    const { stream, fail } = byteStream({
      next: () => this.#next(),
      cancel: () => {
        this.#isCancelled = true;
        this.discard();
        options.onCancel();
      },
    });
    this.readable = stream;
    this.#fail = fail;
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Whether the other side has ended its direction and all of it has arrived. */
  get isComplete(): boolean {
    return this.#total !== undefined && this.#received >= this.#total;
  }

  /** How much has arrived, for an error. */
  get progress(): string {
    return this.#total === undefined
      ? `${this.#received} bytes`
      : `${this.#received} of ${this.#total} bytes`;
  }

  accept(chunk: Bytes): void {
    this.#received += chunk.length;
    this.#queue.push({ chunk });
    this.#checkEnd();
  }

  /** The other side has ended its direction after this number of bytes, of which some may still arrive. */
  setTotal(bytes: number): void {
    this.#total = bytes;
    this.#checkEnd();
  }

  /** Whether more than the credit is unread. */
  get isFull(): boolean {
    return this.#queue.size > CREDIT;
  }

  /** Resolves when a half of the credit has room again, or reading has ended. */
  drained(): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.#onRead = () => {
      if (this.#queue.size <= CREDIT / 2) resolve();
    };
    return promise;
  }

  /** Drops what has arrived, and what still arrives. */
  discard(): void {
    this.#queue.discard();
    this.#onRead();
  }

  /** Drops everything, and fails the reader at once. */
  fail(reason: unknown): void {
    this.#fail(reason);
    this.discard();
  }

  /** Nothing more arrives. The reader first gets what has arrived. */
  end(reason?: unknown): void {
    this.#queue.end(reason as Error | undefined);
  }

  async #next(): Promise<Bytes | undefined> {
    const chunk = await this.#queue.read();
    if (chunk) this.#options.onConsumed(chunk.length);
    this.#onRead();
    return chunk;
  }

  #checkEnd(): void {
    if (this.isComplete) this.#queue.end();
  }
}
