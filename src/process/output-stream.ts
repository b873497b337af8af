import type { Bytes } from "../internal/bytes.ts";
import { platformClass } from "../internal/platform.ts";

/** What an output stream reads. */
export interface OutputSource {
  /** Throws if the output is already read in another way. */
  readonly claim: () => void;
  /** Resolves with the next chunk, or with undefined at the end. */
  readonly next: () => Promise<Bytes | undefined>;
  readonly cancel: () => void;
}

let OutputStream: ReturnType<typeof defineOutputStream> | undefined;

/** A byte stream that calls `claim` before it is read, in every way in which a stream can be read. */
export function outputStream(source: OutputSource): ReadableStream<Bytes> {
  OutputStream ??= defineOutputStream();
  return new OutputStream(source);
}

/** Defined with the first stream: importing the SDK requires no ReadableStream. */
function defineOutputStream() {
  return class extends platformClass("ReadableStream")<Bytes> {
    readonly #claim: () => void;

    constructor(source: OutputSource) {
      super(
        {
          async pull(controller) {
            // The platform's own readers, such as `new Response(stream)`, do not call the methods below.
            source.claim();
            const chunk = await source.next();
            if (chunk === undefined) controller.close();
            else controller.enqueue(chunk);
          },
          cancel() {
            source.claim();
            source.cancel();
          },
        },
        // No chunk is pulled before a read: unread output stays within the budget of its queue.
        { highWaterMark: 0 },
      );
      this.#claim = source.claim;
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
    override async *values(options?: ReadableStreamIteratorOptions): ReadableStreamAsyncIterator<Bytes> {
      const reader: ReadableStreamDefaultReader<Bytes> = this.getReader();
      let finished = false;
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          yield value;
        }
        finished = true;
      } finally {
        try {
          if (!finished && !options?.preventCancel) await reader.cancel();
        } finally {
          reader.releaseLock();
        }
      }
    }

    override [Symbol.asyncIterator](
      options?: ReadableStreamIteratorOptions,
    ): ReadableStreamAsyncIterator<Bytes> {
      return this.values(options);
    }
  };
}
