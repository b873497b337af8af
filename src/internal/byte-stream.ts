import type { Bytes } from "./bytes.ts";
import { weakly, whenCollected } from "./collected.ts";
import { platformClass } from "./platform.ts";

export interface ByteSource {
  /** Resolves with the next chunk, or with undefined at the end. */
  next(): Promise<Bytes | undefined>;
  /** The reader cancelled the stream, or the stream was garbage-collected before its end. */
  cancel(reason?: unknown): void;
}

/** A stream of bytes, and a function that fails it at once. That function does not keep the stream in memory. */
export interface ByteStream {
  readonly stream: ReadableStream<Bytes>;
  fail(reason: unknown): void;
}

/**
 * A stream whose chunks are pulled only by reads, with default and BYOB readers. It can be iterated with `for await` in
 * every runtime. If the stream is forgotten, its source is cancelled.
 */
export function byteStream({ next, cancel }: ByteSource): ByteStream {
  let forget = (): void => {};
  let controller: { deref(): Pick<ReadableByteStreamController, "error"> | undefined } | undefined;
  const source = {
    start(own: ReadableByteStreamController) {
      controller = weakly(own);
    },
    async pull(own: ReadableByteStreamController) {
      const chunk = await next().catch((error: unknown) => {
        forget();
        throw error;
      });
      if (chunk) {
        // A byte stream takes the memory over: no other bytes may be in it.
        const isAlone = chunk.byteLength === chunk.buffer.byteLength;
        own.enqueue(isAlone ? chunk : chunk.slice());
        return;
      }
      forget();
      own.close();
      // A BYOB read ends with its own buffer.
      own.byobRequest?.respond(0);
    },
    cancel(reason: unknown) {
      forget();
      cancel(reason);
    },
  };
  const stream = platformStream(source);
  // Not the stream: Chromium can collect its object while a reader or a response still uses it.
  forget = whenCollected(source, () => cancel());
  return {
    stream,
    fail(reason) {
      forget();
      controller?.deref()?.error(reason);
    },
  };
}

function platformStream(source: Omit<UnderlyingByteSource, "type">): ReadableStream<Bytes> {
  const ReadableStream = platformClass("ReadableStream");
  let stream: ReadableStream<Bytes>;
  try {
    stream = new ReadableStream(Object.assign(source, { type: "bytes" as const }));
  } catch {
    // Safari before 26 has no byte streams.
    Reflect.deleteProperty(source, "type");
    stream = new ReadableStream(source as UnderlyingDefaultSource<Bytes>, { highWaterMark: 0 });
  }
  return iterable(stream);
}

/** The stream itself, which `for await` can iterate afterwards: WebKit's streams have no iterator. */
export function iterable<T>(stream: ReadableStream<T>): ReadableStream<T> {
  if (Symbol.asyncIterator in stream) return stream;
  const value = (options?: ReadableStreamIteratorOptions) => iterate(stream, options);
  return Object.defineProperties(stream, { values: { value }, [Symbol.asyncIterator]: { value } });
}

/** Iterates over a stream as the platform does where it can. */
export async function* iterate<T>(
  stream: ReadableStream<T>,
  options?: ReadableStreamIteratorOptions,
): AsyncGenerator<T, undefined> {
  const reader = stream.getReader();
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
