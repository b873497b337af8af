import type { Bytes } from "./bytes.ts";
import { platformClass } from "./platform.ts";

export interface ByteSource {
  /** Resolves with the next chunk, or with undefined at the end. */
  next(): Promise<Bytes | undefined>;
  /** The reader cancelled the stream, or the stream was garbage-collected before its end. */
  cancel(): void;
}

/** A stream of bytes, and a function that fails it at once. That function does not keep the stream in memory. */
export interface ByteStream {
  readonly stream: ReadableStream<Bytes>;
  fail(reason: unknown): void;
}

/** Cancels the source of a stream that was garbage-collected. Made with the first stream: some runtimes lack the class. */
let collected: FinalizationRegistry<() => void> | undefined;

/**
 * A stream whose chunks are pulled only by reads, with default and BYOB readers. If the stream is forgotten, its source
 * is cancelled.
 */
export function byteStream({ next, cancel }: ByteSource): ByteStream {
  let controller!: WeakRef<Pick<ReadableByteStreamController, "error">>;
  const source = {
    start(own: ReadableByteStreamController) {
      controller = new WeakRef(own);
    },
    async pull(own: ReadableByteStreamController) {
      const chunk = await next();
      if (chunk) {
        // A byte stream takes the memory over: no other bytes may be in it.
        const isAlone = chunk.byteLength === chunk.buffer.byteLength;
        own.enqueue(isAlone ? chunk : chunk.slice());
        return;
      }
      own.close();
      // A BYOB read ends with its own buffer.
      own.byobRequest?.respond(0);
    },
    cancel,
  };
  const stream = platformStream(source);
  collected ??=
    typeof FinalizationRegistry === "function" ? new FinalizationRegistry((end) => end()) : undefined;
  collected?.register(stream, cancel);
  return { stream, fail: (reason) => controller.deref()?.error(reason) };
}

function platformStream(source: Omit<UnderlyingByteSource, "type">): ReadableStream<Bytes> {
  const ReadableStream = platformClass("ReadableStream");
  try {
    return new ReadableStream({ ...source, type: "bytes" }) as ReadableStream<Bytes>;
  } catch {
    // Safari before 26 has no byte streams.
    return new ReadableStream(source as UnderlyingDefaultSource<Bytes>, { highWaterMark: 0 });
  }
}
