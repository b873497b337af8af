import { UsageError } from "../errors/usage.ts";
import { ByteQueue, type OverflowPolicy } from "../internal/byte-queue.ts";
import type { Bytes } from "../internal/bytes.ts";
import type { OutputChunk } from "./events.ts";
import { outputStream } from "./output-stream.ts";

type View = "merged" | "split";

/**
 * The output of one process, kept from its start. A reader claims one of two views: all output in order, or stdout and
 * stderr separately. Until then both views are kept (they share the chunks), so the budget has the same effect no matter
 * when the reader starts.
 */
export class ProcessOutput {
  readonly #merged: ByteQueue<OutputChunk>;
  readonly #stdout: ByteQueue<OutputChunk>;
  readonly #stderr: ByteQueue<OutputChunk>;
  #stdoutStream: ReadableStream<Bytes> | undefined;
  #stderrStream: ReadableStream<Bytes> | undefined;
  #claimed: View | undefined;
  readonly #onUnread: ((bytes: number) => void) | undefined;

  /** @param onUnread Called with the number of unread bytes when it may have changed. */
  constructor(budget: number, policy: OverflowPolicy, onUnread?: (bytes: number) => void) {
    this.#onUnread = onUnread;
    this.#merged = new ByteQueue<OutputChunk>(budget, policy);
    this.#stdout = new ByteQueue<OutputChunk>(budget, policy);
    this.#stderr = new ByteQueue<OutputChunk>(budget, policy);
  }

  /** The streams are made when they are first looked at; that claims nothing. */
  get stdout(): ReadableStream<Bytes> {
    this.#stdoutStream ??= this.#streamOf(this.#stdout);
    return this.#stdoutStream;
  }

  get stderr(): ReadableStream<Bytes> {
    this.#stderrStream ??= this.#streamOf(this.#stderr);
    return this.#stderrStream;
  }

  get droppedBytes(): number {
    if (this.#claimed !== "split") return this.#merged.droppedBytes;
    return this.#stdout.droppedBytes + this.#stderr.droppedBytes;
  }

  push(piece: OutputChunk): void {
    if (this.#claimed !== "split") this.#merged.push(piece);
    if (this.#claimed !== "merged") (piece.stream === "stderr" ? this.#stderr : this.#stdout).push(piece);
    this.#report();
  }

  /** Ends every view after its kept output. */
  end(error?: Error): void {
    for (const queue of [this.#merged, this.#stdout, this.#stderr]) queue.end(error);
  }

  /** A reader of all output in order. The first iterator that is used claims the output. */
  iterate(): AsyncIterator<OutputChunk, undefined> {
    let isOwner = false;
    const claim = (): void => {
      if (!isOwner) this.#claim("merged");
      isOwner = true;
    };
    return {
      // Not an async function: its promises would cost more than the rest of the read.
      next: () => {
        try {
          claim();
        } catch (error) {
          return Promise.reject(error);
        }
        const next = this.#merged.next();
        this.#report();
        return next;
      },
      return: async () => {
        claim();
        this.#discard(this.#merged);
        return { done: true, value: undefined };
      },
    };
  }

  #streamOf(queue: ByteQueue<OutputChunk>): ReadableStream<Bytes> {
    return outputStream({
      claim: () => {
        if (this.#claimed !== "split") this.#claim("split");
      },
      next: async () => {
        // What has piled up behind a slow reader is read as one chunk: the server sends 8 KiB at a time.
        const chunk = await queue.read();
        this.#report();
        return chunk;
      },
      cancel: () => this.#discard(queue),
    });
  }

  #discard(queue: ByteQueue<OutputChunk>): void {
    queue.discard();
    this.#report();
  }

  #report(): void {
    if (!this.#onUnread) return;
    const isSplit = this.#claimed === "split";
    this.#onUnread(isSplit ? this.#stdout.size + this.#stderr.size : this.#merged.size);
  }

  #claim(view: View): void {
    if (this.#claimed) {
      const how = this.#claimed === "merged" ? "as one sequence" : "as stdout and stderr";
      throw new UsageError("ERR_OUTPUT_CLAIMED", `The output of this process is already being read ${how}`);
    }
    this.#claimed = view;
    for (const queue of view === "merged" ? [this.#stdout, this.#stderr] : [this.#merged]) queue.discard();
  }
}
