import { OverflowError } from "../errors.ts";
import { type Deferred, deferred } from "../internal/deferred.ts";
import { Fifo } from "../internal/fifo.ts";
import type { OutputStreamName } from "../protocol/process.ts";

/** One piece of output. */
export interface OutputChunk {
  /** Its place among all events of the process. */
  readonly seq: number;
  readonly stream: OutputStreamName;
  readonly chunk: Uint8Array;
  /** Bytes lost right before this piece, with `overflow: "drop-oldest"`. */
  readonly droppedBefore?: number;
}

export type OverflowPolicy = "fail" | "drop-oldest";

/** Unread output within a budget. What a waiting reader takes at once does not count. */
export class OutputQueue {
  readonly #budget: number;
  readonly #policy: OverflowPolicy;
  readonly #chunks = new Fifo<OutputChunk>();
  readonly #readers = new Fifo<Deferred<IteratorResult<OutputChunk, undefined>>>();
  #bytes = 0;
  #end: { readonly error?: Error } | undefined;
  /** Bytes dropped since the last piece that was read. */
  #gap = 0;
  #droppedBytes = 0;

  constructor(budget: number, policy: OverflowPolicy) {
    this.#budget = budget;
    this.#policy = policy;
  }

  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  push(piece: OutputChunk): void {
    if (this.#end) return;
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value: this.#withGap(piece) });
      return;
    }
    this.#chunks.push(piece);
    this.#bytes += piece.chunk.length;
    if (this.#bytes <= this.#budget) return;
    if (this.#policy === "drop-oldest") this.#dropOldest();
    else this.#cut(piece);
  }

  /** The reader gets what is kept, and then the end. Only the first end counts. */
  end(error?: Error): void {
    if (this.#end) return;
    this.#end = error ? { error } : {};
    for (let reader = this.#readers.shift(); reader; reader = this.#readers.shift()) {
      if (error) reader.reject(error);
      else reader.resolve({ done: true, value: undefined });
    }
  }

  /** Forgets what is kept and takes nothing more. */
  discard(): void {
    this.end();
    this.#end = {};
    this.#chunks.clear();
    this.#bytes = 0;
  }

  next(): Promise<IteratorResult<OutputChunk, undefined>> {
    const piece = this.#chunks.shift();
    if (piece) {
      this.#bytes -= piece.chunk.length;
      return Promise.resolve({ done: false, value: this.#withGap(piece) });
    }
    if (this.#end?.error) return Promise.reject(this.#end.error);
    if (this.#end) return Promise.resolve({ done: true, value: undefined });
    const reader = deferred<IteratorResult<OutputChunk, undefined>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  #withGap(piece: OutputChunk): OutputChunk {
    if (this.#gap === 0) return piece;
    const droppedBefore = this.#gap;
    this.#gap = 0;
    return { ...piece, droppedBefore };
  }

  /** Keeps exactly the budget, wherever the server happened to cut its pieces. */
  #cut(newest: OutputChunk): void {
    const surplus = this.#bytes - this.#budget;
    this.#chunks.replaceLast({ ...newest, chunk: newest.chunk.subarray(0, newest.chunk.length - surplus) });
    this.#bytes = this.#budget;
    this.end(new OverflowError(this.#budget));
  }

  #dropOldest(): void {
    for (let surplus = this.#bytes - this.#budget; surplus > 0; surplus = this.#bytes - this.#budget) {
      const oldest = this.#chunks.peek() as OutputChunk;
      const dropped = Math.min(surplus, oldest.chunk.length);
      if (dropped === oldest.chunk.length) this.#chunks.shift();
      else this.#chunks.replaceFirst({ ...oldest, chunk: oldest.chunk.subarray(dropped) });
      this.#bytes -= dropped;
      this.#gap += dropped;
      this.#droppedBytes += dropped;
    }
  }
}
