import { iterate } from "../internal/byte-stream.ts";
import type { Bytes } from "../internal/bytes.ts";

/** A byte stream that calls `claim` before it is read, in every way in which a stream can be read. */
export class OutputStream extends ReadableStream<Bytes> {
  readonly #claim: () => void;

  /**
   * @param source `claim` throws if the output is already read in another way. `next` resolves with the next chunk, or
   * with undefined at the end.
   */
  constructor(source: {
    claim: () => void;
    next: () => Promise<Bytes | undefined>;
    cancel: () => void;
  }) {
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

  override async pipeTo(destination: WritableStream<Uint8Array>, options?: StreamPipeOptions): Promise<void> {
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
}
