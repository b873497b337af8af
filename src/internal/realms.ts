/**
 * Values of any realm: an iframe, a vm context and jsdom have classes of the same names, of which `instanceof` knows
 * nothing.
 */

const tagOf = (value: unknown): string => Object.prototype.toString.call(value);

export function isUint8Array(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || (ArrayBuffer.isView(value) && tagOf(value) === "[object Uint8Array]");
}

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return value instanceof ArrayBuffer || tagOf(value) === "[object ArrayBuffer]";
}

export function isUrl(value: unknown): value is URL {
  return tagOf(value) === "[object URL]" && typeof (value as URL).href === "string";
}

/** A readable stream of the platform, a polyfill or another realm. */
export function isReadableStream(value: unknown): value is ReadableStream {
  return typeof (value as Partial<ReadableStream> | null | undefined)?.getReader === "function";
}

export function isBlob(value: unknown): value is Blob {
  const blob = value as Partial<Blob> | null | undefined;
  return typeof blob?.stream === "function" && typeof blob.size === "number";
}

/** The bytes of a view or a buffer, without a copy; undefined for anything else. */
export function viewOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return isArrayBuffer(value) ? new Uint8Array(value) : undefined;
}

/** Includes Node's streams. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof (value as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] ===
    "function"
  );
}
