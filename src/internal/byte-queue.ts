import { OverflowError } from "../errors/usage.ts";
import { type Bytes, concatBytes } from "./bytes.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { Fifo } from "./fifo.ts";

/** A chunk of bytes with its metadata. */
export interface Piece {
  /** The bytes. */
  readonly chunk: Uint8Array<ArrayBuffer>;
  /** Number of bytes dropped right before this chunk. Set only with the policy `"drop-oldest"`. */
  readonly droppedBefore?: number;
}

/** Default for the unread bytes that a queue keeps: 64 MiB. */
export const DEFAULT_MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** What happens to unread bytes beyond a limit: the reader fails after the kept ones, or the oldest are dropped. */
export type OverflowPolicy = "fail" | "drop-oldest";

/** Bytes of a chunk that is made of several. Less than that is read as it came. */
const MAX_JOINED = 64 * 1024;

/** A queue of unread bytes with a budget. Bytes that go directly to a waiting reader do not count. */
export class ByteQueue<P extends Piece = Piece> {
  readonly #budget: number;
  readonly #policy: OverflowPolicy;
  readonly #chunks = new Fifo<P>();
  readonly #readers = new Fifo<Deferred<IteratorResult<P, undefined>>>();
  #bytes = 0;
  #end: { readonly error?: Error } | undefined;
  /** Number of bytes dropped since the last piece was read. */
  #gap = 0;
  #droppedBytes = 0;

  constructor(budget: number, policy: OverflowPolicy) {
    this.#budget = budget;
    this.#policy = policy;
  }

  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** Number of unread bytes. */
  get size(): number {
    return this.#bytes;
  }

  /** Whether later pieces are ignored. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** @param isUnlimited Keeps the piece even beyond the budget: the sender is held back by other means. */
  push(piece: P, isUnlimited = false): void {
    if (this.#end) return;
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value: this.#withGap(piece) });
      return;
    }
    if (isUnlimited) this.#keep(piece);
    else if (this.#policy === "fail") this.#keepWhatFits(piece);
    else this.#keepNewest(piece);
  }

  /** The reader gets the kept pieces, and then the end or the error. Only the first call has an effect. */
  end(error?: Error): void {
    if (this.#end) return;
    this.#end = error ? { error } : {};
    for (let reader = this.#readers.shift(); reader; reader = this.#readers.shift()) {
      if (error) reader.reject(error);
      else reader.resolve({ done: true, value: undefined });
    }
  }

  /** Drops the kept pieces and an error, and ignores later pieces. */
  discard(): void {
    this.end();
    this.#end = {};
    this.#chunks.clear();
    this.#bytes = 0;
  }

  next(): Promise<IteratorResult<P, undefined>> {
    const piece = this.#chunks.shift();
    if (piece) {
      this.#bytes -= piece.chunk.length;
      return Promise.resolve({ done: false, value: this.#withGap(piece) });
    }
    if (this.#end?.error) return Promise.reject(this.#end.error);
    if (this.#end) return Promise.resolve({ done: true, value: undefined });
    const reader = deferred<IteratorResult<P, undefined>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  /** The bytes of the next piece, joined with those that have piled up behind it; undefined at the end. */
  async read(): Promise<Bytes | undefined> {
    const { value } = await this.next();
    if (!value || this.#bytes < MAX_JOINED) return value?.chunk;
    return concatBytes([value, ...this.#take(MAX_JOINED - value.chunk.length)].map(({ chunk }) => chunk));
  }

  /** Takes the next kept pieces that have together at most this many bytes. */
  #take(maxBytes: number): P[] {
    let taken = 0;
    return this.#chunks
      .shiftWhile(({ chunk: { length } }) => {
        if (taken + length > maxBytes) return false;
        taken += length;
        this.#bytes -= length;
        return true;
      })
      .map((piece) => this.#withGap(piece));
  }

  #withGap(piece: P): P {
    if (this.#gap === 0) return piece;
    const droppedBefore = this.#gap;
    this.#gap = 0;
    return { ...piece, droppedBefore };
  }

  /** Keeps exactly the budget, no matter where the sender splits its pieces. */
  #keepWhatFits(piece: P): void {
    const room = this.#budget - this.#bytes;
    const fits = piece.chunk.length <= room;
    if (fits) this.#keep(piece);
    else if (room > 0) this.#keep({ ...piece, chunk: piece.chunk.subarray(0, room) });
    if (!fits) this.end(new OverflowError(this.#budget));
  }

  #keep(piece: P): void {
    this.#chunks.push(piece);
    this.#bytes += piece.chunk.length;
  }

  #keepNewest(piece: P): void {
    this.#keep(piece);
    for (let surplus = this.#bytes - this.#budget; surplus > 0; surplus = this.#bytes - this.#budget) {
      const oldest = this.#chunks.peek() as P;
      const dropped = Math.min(surplus, oldest.chunk.length);
      if (dropped === oldest.chunk.length) this.#chunks.shift();
      else this.#chunks.replaceFirst({ ...oldest, chunk: oldest.chunk.subarray(dropped) });
      this.#bytes -= dropped;
      this.#gap += dropped;
      this.#droppedBytes += dropped;
    }
  }
}
