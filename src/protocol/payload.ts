import { decodeBase64 } from "../internal/base64.ts";
import { asciiSlice, type Bytes } from "../internal/bytes.ts";

/** How the server writes one kind of message that carries bytes: one head, base64, one tail. */
export interface PayloadForm {
  readonly head: RegExp;
  readonly tail: RegExp;
}

/** A message as it was read off its frame. */
export interface Payload {
  /** The variable parts of what stood before the bytes, from index 1. */
  readonly head: readonly string[];
  readonly bytes: Bytes;
  /** The same of what stood behind them. */
  readonly tail: readonly string[];
}

/** How far into a frame its head and its tail may reach, in characters. */
const MAX_HEAD = 256;
const MAX_TAIL = 64;

/** Parts of a text cost nothing, but a long text does. */
const MAX_TEXT = 32 * 1024;

/**
 * @param pattern The whole message with `TEXT` and `INTEGER` for what varies and `BYTES` for the base64; other choices
 * are groups of a regular expression. Braces stand for themselves.
 */
export function payloadForm(pattern: string): PayloadForm {
  const [head, tail] = pattern
    .replace(/[{}]/g, "\\$&")
    // What a JSON parser would read literally, and what is exact as a number.
    .replace("TEXT", "([ !#-[\\]-~]*)")
    .replaceAll("INTEGER", "(0|[1-9]\\d{0,14})")
    .split("BYTES");
  return { head: new RegExp(`^${head}`), tail: new RegExp(`${tail}$`) };
}

/**
 * Reads a frame of exactly this form without a JSON parser, which would look at each character of the base64 and copy
 * it. Undefined for any other frame, which says nothing about it: that is for the parser to judge.
 */
export function readPayload(frame: string | Uint8Array, form: PayloadForm): Payload | undefined {
  const { length } = frame;
  const data = length <= MAX_TEXT ? asciiSlice(frame, 0, length) : frame;
  const head = form.head.exec(asciiSlice(data, 0, MAX_HEAD));
  if (!head) return undefined;
  const start = head[0].length;
  const tail = form.tail.exec(asciiSlice(data, Math.max(start, length - MAX_TAIL), length));
  if (!tail) return undefined;
  // Canonical base64 and nothing else: no quote, escape or control character can hide in it.
  const bytes = decodeBase64(data, start, length - tail[0].length);
  return bytes && { head, bytes, tail };
}
