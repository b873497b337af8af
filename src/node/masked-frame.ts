import { randomFillSync } from "node:crypto";
import { base64Length } from "../internal/base64.ts";

/** Random masking keys, generated 1024 at a time: one call per key costs more than sending a short message. */
const keys = new Uint32Array(1024);
let keysLeft = 0;

/** Bytes encoded and masked per step, a multiple of three. A piece of this size stays in the CPU cache between the two. */
const PIECE = 24 * 1024;

/**
 * Encodes `head`, `bytes` as base64 and `tail` as one text frame of a WebSocket client (RFC 6455, 5.2). `ws` takes the
 * message as one string, copies that twice and masks it byte by byte.
 */
export function maskedFrame(head: string, bytes: Uint8Array, tail: string): Uint8Array {
  const length = Buffer.byteLength(head) + base64Length(bytes) + Buffer.byteLength(tail);
  const headerLength = length < 126 ? 6 : length < 0x10000 ? 8 : 14;
  // The header ends with the key. Key and message are both aligned to four bytes, because the mask works on 32-bit words.
  const start = -headerLength & 3;
  const message = start + headerLength;
  const memory = Buffer.allocUnsafe((message + length + 3) & ~3);
  writeHeader(memory, start, length);
  const words = new Uint32Array(memory.buffer, memory.byteOffset + message - 4, (length + 7) >> 2);
  words[0] = nextKey();

  let at = message + memory.write(head, message);
  let masked = 1;
  for (let from = 0; from < bytes.length; from += PIECE) {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(PIECE, bytes.length - from));
    at += memory.write(piece.toString("base64"), at, "latin1");
    masked = mask(words, masked, ((at - message) >> 2) + 1);
  }
  memory.write(tail, at);
  mask(words, masked, words.length);
  return memory.subarray(start, message + length);
}

function writeHeader(memory: Buffer, at: number, length: number): void {
  const MASKED = 0x80;
  memory[at] = 0x81;
  if (length < 126) memory[at + 1] = MASKED | length;
  else if (length < 0x10000) {
    memory[at + 1] = MASKED | 126;
    memory.writeUInt16BE(length, at + 2);
  } else {
    memory[at + 1] = MASKED | 127;
    memory.writeUInt32BE(0, at + 2);
    memory.writeUInt32BE(length, at + 6);
  }
}

function nextKey(): number {
  if (keysLeft === 0) {
    randomFillSync(keys);
    keysLeft = keys.length;
  }
  return keys[--keysLeft] as number;
}

/** Masks `words` from one index to another with the key in the first word. Returns the index for the next call. */
function mask(words: Uint32Array, from: number, to: number): number {
  const key = words[0] as number;
  for (let i = from; i < to; i++) words[i] = (words[i] as number) ^ key;
  return to;
}
