/** What Node's own buffers can do faster than anything else there. */
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

/** Looked up on the global object, so that no bundler adds a polyfill for it. Missing in browsers. */
export const nodeBuffers = (globalThis as { Buffer?: NodeBufferConstructor }).Buffer;

/** The same memory as one of Node's buffers; undefined where there are none. */
export function asNodeBuffer(bytes: Uint8Array): NodeBuffer | undefined {
  if (nodeBuffers?.isBuffer(bytes)) return bytes;
  return nodeBuffers?.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
