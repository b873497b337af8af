import type { Bytes } from "./bytes.ts";

/** What both kinds of controllers have. */
export interface ByteController {
  enqueue(chunk: Bytes): void;
  error(reason: unknown): void;
  close(): void;
  readonly byobRequest?: ReadableStreamBYOBRequest | null;
}

interface ByteSource {
  start(controller: ByteController): void;
  pull(controller: ByteController): Promise<void>;
  cancel(reason: unknown): void;
}

/** Ends a stream, also for a pending read into the reader's memory. */
export function closeStream(controller: ByteController): void {
  controller.close();
  controller.byobRequest?.respond(0);
}

/**
 * A stream of bytes that pulls nothing before it is read. It can be read into the reader's own memory (`mode: "byob"`)
 * where the runtime has such streams, and with `for await` everywhere. `enqueue` takes the whole memory of a chunk.
 */
export function byteStream(source: ByteSource): ReadableStream<Bytes> {
  const stream = newStream(source);
  // WebKit's streams are not iterable.
  if (!(Symbol.asyncIterator in stream)) {
    const value = (options?: ReadableStreamIteratorOptions) => iterate<Bytes>(stream, options);
    Object.defineProperties(stream, { values: { value }, [Symbol.asyncIterator]: { value } });
  }
  return stream;
}

function newStream(source: ByteSource): ReadableStream<Bytes> {
  try {
    return new ReadableStream({ ...source, type: "bytes" });
  } catch {
    // WebKit refuses the type.
    return new ReadableStream(source, { highWaterMark: 0 });
  }
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
