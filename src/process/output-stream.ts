import { bindMembers } from "../internal/bound.ts";
import { iterate } from "../internal/byte-stream.ts";
import type { Bytes } from "../internal/bytes.ts";
import { platformClass } from "../internal/platform.ts";

/** What a stream reads from. */
export interface OutputSource {
  /** Throws if the output is already read in another way. */
  claim(): void;
  /** Resolves with the next chunk, or with undefined at the end. */
  next(): Promise<Bytes | undefined>;
  cancel(): void;
}

type OutputStreamClass = new (source: OutputSource) => ReadableStream<Bytes>;

let outputStreamClass: OutputStreamClass | undefined;

/** A byte stream that calls `claim` before it is read, in every way in which a stream can be read. */
export function outputStream(source: OutputSource): ReadableStream<Bytes> {
  // Made on first use: this module can be imported where there are no streams.
  outputStreamClass ??= makeOutputStreamClass();
  return new outputStreamClass(source);
}

function makeOutputStreamClass(): OutputStreamClass {
  return class OutputStream extends platformClass("ReadableStream")<Bytes> {
    readonly #claim: () => void;

    constructor(source: OutputSource) {
      // No chunk is pulled before a read: unread output stays within the budget of its queue.
      super(underlyingSource(source) as UnderlyingSource<Bytes>, { highWaterMark: 0 });
      this.#claim = () => source.claim();
      bindMembers(this, platformClass("ReadableStream"));
    }

    override getReader(options?: ReadableStreamGetReaderOptions): never {
      const reader = super.getReader(options as undefined);
      try {
        this.#claim();
      } catch (error) {
        reader.releaseLock();
        throw error;
      }
      return reader as never;
    }

    override pipeThrough<T>(
      transform: ReadableWritablePair<T, Bytes>,
      options?: StreamPipeOptions,
    ): ReadableStream<T> {
      this.#claim();
      return super.pipeThrough(transform, options);
    }

    override async pipeTo(
      destination: WritableStream<Uint8Array>,
      options?: StreamPipeOptions,
    ): Promise<void> {
      this.#claim();
      return await super.pipeTo(destination, options);
    }

    override tee(): [ReadableStream<Bytes>, ReadableStream<Bytes>] {
      this.#claim();
      return super.tee();
    }

    /** Implemented here, because ReadableStream is not async iterable in every browser. */
    override values(options?: ReadableStreamIteratorOptions): ReadableStreamAsyncIterator<Bytes> {
      return iterate<Bytes>(this, options);
    }

    override [Symbol.asyncIterator](
      options?: ReadableStreamIteratorOptions,
    ): ReadableStreamAsyncIterator<Bytes> {
      return this.values(options);
    }
  };
}

/** A source of bytes, so that a reader can bring its own memory. Safari before 26 has no such streams. */
function underlyingSource(source: OutputSource): UnderlyingByteSource | UnderlyingSource<Bytes> {
  const hasByteStreams = typeof ReadableByteStreamController === "function";
  return {
    ...(hasByteStreams ? { type: "bytes" } : {}),
    async pull(controller: ReadableByteStreamController | ReadableStreamDefaultController<Bytes>) {
      // The platform's own readers, such as `new Response(stream)`, do not call the methods of the class.
      source.claim();
      const chunk = await source.next();
      if (chunk) {
        // A byte stream takes the memory of its chunk, which must not be shared.
        const isWhole = chunk.byteLength === chunk.buffer.byteLength;
        controller.enqueue(hasByteStreams && !isWhole ? chunk.slice() : chunk);
        return;
      }
      controller.close();
      // Ends a read that brought its memory.
      if ("byobRequest" in controller) controller.byobRequest?.respond(0);
    },
    cancel() {
      source.claim();
      source.cancel();
    },
  } as UnderlyingByteSource;
}
