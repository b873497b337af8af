/**
 * Standard-alphabet base64 with padding, strict: what the wire uses. Runtimes differ in what they forgive, so the
 * checks are made here and the runtime's fastest decoder does the rest.
 */

import { asciiSlice, type Bytes } from "./bytes.ts";
import { asNodeBuffer, nodeBuffers } from "./node-buffer.ts";

/** Missing in Node before 25 and in older browsers. */
interface NativeCodec {
  fromBase64?(text: string): Bytes;
  prototype: { toBase64?(this: Uint8Array): string };
}

const native = Uint8Array as unknown as NativeCodec;

/** Decoded this much at a time, in characters and a multiple of four: longer strings are dear to Node's memory. */
const PIECE = 0x8000;

/** The bits that padding leaves over must be zero, or two texts would mean the same bytes. */
const PADDED_END = /[AQgw]==$|[AEIMQUYcgkosw048]=$/;

/** Returns undefined when the text, or the part of it, is not valid base64. Bytes stand for text in ASCII. */
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
    // Every decoder skips or stops at what it forgives, and so comes out shorter.
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
  // In pieces: a call has a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + 0x8000) as unknown as number[]);
  }
  return btoa(binary);
}

/** How long the base64 of some bytes is. */
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
    // Not cleared first; what was not written over is never given out.
    const memory = nodeBuffers.allocUnsafeSlow(length);
    let written = 0;
    for (let at = start; at < end; at += PIECE) {
      const piece = asciiSlice(text, at, Math.min(at + PIECE, end));
      // Node takes the URL alphabet as well, and looks only at the low byte of a character.
      if (piece.includes("-") || piece.includes("_") || /[\u0100-\uffff]/.test(piece)) return undefined;
      written += memory.write(piece, written, "base64");
    }
    return written === length ? new Uint8Array(memory.buffer) : undefined;
  }
  const binary = atob(asciiSlice(text, start, end));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
