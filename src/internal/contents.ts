import { untilAborted } from "./abort.ts";
import { invalid, received } from "./arguments.ts";
import { bytesOf, utf8 } from "./bytes.ts";
import { guarded } from "./guarded.ts";
import { isAsyncIterable, isBlob, isReadableStream, viewOf } from "./realms.ts";

/** Bytes, or text that becomes UTF-8. */
export type FileBytes = string | ArrayBufferView | ArrayBuffer;
/** Bytes or text in pieces. */
export type FilePieces = ReadableStream<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** What is to be written: all bytes, or a function that starts reading them, and their number if it is known. */
export type Contents =
  | { readonly bytes: Uint8Array }
  | {
      readonly bytes?: undefined;
      readonly total: number | undefined;
      /** An abort of the signal ends the pieces at once. */
      readonly pieces: (signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>;
    };

/**
 * Throws a UsageError for data of another kind. Reads nothing yet.
 *
 * @param name Of the argument or option.
 */
export function contentsOf(data: FileBytes | Blob | FilePieces, name = "data"): Contents {
  const bytes = typeof data === "string" ? utf8(data) : viewOf(data);
  if (bytes) return { bytes };
  if (isBlob(data)) return { total: data.size, pieces: (signal) => pieces(sourceOf(data.stream()), signal) };
  if (isPieces(data)) {
    if ((data as Partial<ReadableStream>).locked)
      return invalid(`${name} must be a stream that is not locked, got one with a reader`);
    return { total: undefined, pieces: (signal) => pieces(sourceOf(data), signal) };
  }
  const expected = "a string, an ArrayBuffer, a typed array, a Blob, a stream or an async iterable";
  return invalid(`${name} must be ${expected}, got ${received(data)}`);
}

interface Source {
  next(): PromiseLike<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  cancel(): unknown;
}

const isPieces = (data: unknown): data is FilePieces => isReadableStream(data) || isAsyncIterable(data);

/** By its reader: a stream is not iterable in every runtime. */
function sourceOf(data: FilePieces): Source {
  if (isReadableStream(data)) {
    const reader = data.getReader();
    return { next: () => reader.read(), cancel: () => reader.cancel() };
  }
  const iterator = data[Symbol.asyncIterator]();
  return { next: () => iterator.next(), cancel: () => iterator.return?.() };
}

async function* pieces(source: Source, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  let isOver = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await untilAborted(Promise.resolve(source.next()), signal);
      isOver = done === true;
      if (isOver) return;
      yield bytesOf(value as FileBytes);
    }
  } finally {
    // Not awaited: the source may be slow or fail, which does not change the outcome.
    if (!isOver) guarded(source.cancel);
  }
}
