import { UsageError } from "../errors/usage.ts";
import { invalid, received } from "./arguments.ts";
import { asNodeBuffer } from "./node-buffer.ts";
import { platformClass } from "./platform.ts";
import { viewOf } from "./realms.ts";

/**
 * Bytes in memory that is not shared between threads: the type that the platform's streams, Blobs and decoders accept.
 * Public signatures name the type itself, because this name is not exported.
 */
export type Bytes = Uint8Array<ArrayBuffer>;

let encoder: TextEncoder | undefined;

export function utf8(text: string): Bytes {
  encoder ??= new (platformClass("TextEncoder"))();
  return encoder.encode(text);
}

/**
 * Decodes complete UTF-8 text and keeps a byte order mark.
 *
 * @throws UsageError `ERR_TOO_LARGE` for a text that is longer than the runtime allows: 512 MiB in Node.
 */
export function textOf(bytes: Uint8Array): string {
  try {
    return new (platformClass("TextDecoder"))("utf-8", { ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    // Nothing else can fail: invalid UTF-8 is replaced.
    const problem = `${bytes.length} bytes are too many for one text: read them as bytes`;
    throw new UsageError("ERR_TOO_LARGE", problem, { cause });
  }
}

/** A slice of a text, or of the bytes of an ASCII text. A byte outside ASCII becomes a character outside ASCII. */
export function asciiSlice(data: string | Uint8Array, start: number, end: number): string {
  if (typeof data === "string") return data.slice(start, end);
  const buffer = asNodeBuffer(data);
  if (buffer) return buffer.toString("latin1", start, end);
  return new (platformClass("TextDecoder"))("latin1").decode(data.subarray(start, end));
}

/** Whether the UTF-8 form of a string is longer than `limit` bytes. Encodes the string only if its length does not decide. */
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

/** The bytes of some data: text as UTF-8, or the memory that a view shows. */
export function bytesOf(data: string | ArrayBufferView | ArrayBuffer): Uint8Array {
  if (typeof data === "string") return utf8(data);
  const expected = "a string, an ArrayBuffer or a typed array";
  return viewOf(data) ?? invalid(`data must be ${expected}, got ${received(data)}`);
}
