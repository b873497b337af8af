/**
 * Strict base64 with the standard alphabet and padding, as on the wire. Runtimes differ in the malformed input they
 * accept, so the checks are made here and the fastest decoder of the runtime does the rest.
 */

import { asciiSlice, type Bytes } from "./bytes.ts";
import { asNodeBuffer, nodeBuffers } from "./node-buffer.ts";

/** Missing in Node before 25 and in older browsers. */
interface NativeCodec {
  fromBase64?(text: string): Bytes;
  prototype: { toBase64?(this: Uint8Array): string };
}

const native = Uint8Array as unknown as NativeCodec;

/** Characters decoded at a time, a multiple of four. Decoding longer strings at once costs Node much more memory. */
const PIECE = 0x8000;

/** Bytes up to which zeroed memory is allocated faster than memory that is not, which is a call out of the engine. */
const MAX_ZEROED = 16 * 1024;

/** The unused bits before the padding must be zero: otherwise two texts would encode the same bytes. */
const PADDED_END = /[AQgw]==$|[AEIMQUYcgkosw048]=$/;

/** Decodes `text` from `start` to `end`; undefined if that part is not valid base64. Bytes are read as ASCII text. */
export function decodeBase64(
  text: string | Uint8Array,
  start = 0,
  end: number = text.length,
): Bytes | undefined {
  const last = asciiSlice(text, Math.max(start, end - 3), end);
  const padding = last.endsWith("==") ? 2 : last.endsWith("=") ? 1 : 0;
  if (padding > 0 && !PADDED_END.test(last)) return undefined;
  const length = ((end - start) / 4) * 3 - padding;
  if (!Number.isInteger(length)) return undefined;
  try {
    const bytes = decodeLeniently(text, start, end, length);
    // A lenient decoder skips invalid characters or stops at them, so its result is shorter.
    return bytes?.length === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}

export function encodeBase64(bytes: Uint8Array): string {
  if (native.prototype.toBase64) return native.prototype.toBase64.call(bytes);
  const buffer = asNodeBuffer(bytes);
  if (buffer) return buffer.toString("base64");
  let binary = "";
  // In pieces: the number of arguments of a call is limited.
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + 0x8000) as unknown as number[]);
  }
  return btoa(binary);
}

/** The length of the base64 text of some bytes, in characters. */
export function base64Length({ length }: Uint8Array): number {
  return Math.ceil(length / 3) * 4;
}

function decodeLeniently(
  text: string | Uint8Array,
  start: number,
  end: number,
  length: number,
): Bytes | undefined {
  if (native.fromBase64) return native.fromBase64(asciiSlice(text, start, end));
  if (nodeBuffers) {
    // Its own memory, which can be sent to another thread: `Buffer.from()` would take a part of Node's pool.
    const bytes =
      length <= MAX_ZEROED
        ? new Uint8Array(length)
        : new Uint8Array(nodeBuffers.allocUnsafeSlow(length).buffer);
    const memory = nodeBuffers.from(bytes.buffer, 0, length);
    let written = 0;
    for (let at = start; at < end; at += PIECE) {
      const piece = asciiSlice(text, at, Math.min(at + PIECE, end));
      // Node also accepts the URL alphabet, and reads only the low byte of a character.
      if (piece.includes("-") || piece.includes("_") || /[\u0100-\uffff]/.test(piece)) return undefined;
      written += memory.write(piece, written, "base64");
    }
    return written === length ? bytes : undefined;
  }
  const binary = atob(asciiSlice(text, start, end));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
