import { asNodeBuffer } from "./node-buffer.ts";

/**
 * Bytes that nobody shares with another thread: what streams, Blobs and decoders of the platform take.
 * @inline
 */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = /* @__PURE__ */ new TextEncoder();

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** The text of whole bytes, a byte order mark included. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** A part of a text, or of bytes that stand for one; those that are not ASCII come out as something that is not, either. */
export function asciiSlice(data: string | Uint8Array, start: number, end: number): string {
  if (typeof data === "string") return data.slice(start, end);
  const buffer = asNodeBuffer(data);
  if (buffer) return buffer.toString("latin1", start, end);
  return new TextDecoder("latin1").decode(data.subarray(start, end));
}

/** Whether a string takes more than `limit` bytes as UTF-8; counts exactly only when it has to. */
export function exceedsUtf8Bytes(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  return text.length * 3 > limit && utf8(text).length > limit;
}

export function concatBytes(chunks: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}

/** 128 random bits as hex. `crypto.randomUUID` is missing on pages served over plain HTTP. */
export function randomId(): string {
  let id = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) id += byte.toString(16).padStart(2, "0");
  return id;
}
