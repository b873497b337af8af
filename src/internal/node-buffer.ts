/** The methods of a Node `Buffer` that are faster than their standard counterparts. */
export interface NodeBuffer {
  readonly buffer: ArrayBuffer;
  write(text: string, offset: number, encoding: "base64"): number;
  toString(encoding: "base64" | "latin1", start?: number, end?: number): string;
}

interface NodeBufferConstructor {
  from(memory: ArrayBufferLike, offset: number, length: number): NodeBuffer;
  allocUnsafeSlow(length: number): NodeBuffer;
  isBuffer(value: unknown): value is NodeBuffer;
}

/** Read from the global object, so that no bundler adds a polyfill. Missing in browsers. */
export const nodeBuffers = (globalThis as { Buffer?: NodeBufferConstructor }).Buffer;

/** A `Buffer` on the same memory; undefined in runtimes without `Buffer`. */
export function asNodeBuffer(bytes: Uint8Array): NodeBuffer | undefined {
  if (nodeBuffers?.isBuffer(bytes)) return bytes;
  return nodeBuffers?.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
