import type { Bytes } from "../internal/bytes.ts";
/** A byte stream with a say in who reads it: taking a reader, by whatever way, asks `claim` first. */
export class OutputStream extends ReadableStream<Bytes> {
  readonly #claim: () => void;

  /**
   * @param source `claim` throws when the output is read in another way already; `next` and `cancel` as in an
   * underlying source, `next` resolving with undefined at the end.
   */
  constructor(source: {
    claim: () => void;
    next: () => Promise<Bytes | undefined>;
    cancel: () => void;
  }) {
    super(
      {
        async pull(controller) {
          // Here too: the platform's own readers (`new Response(stream)`) pass the methods below by.
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
      // Nothing is taken before somebody reads: what waits, waits within the budget.
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

  /** Written out, because not every browser's stream can be iterated. */
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
}
