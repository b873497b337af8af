import { decodeBase64 } from "../internal/base64.ts";
import { asciiSlice, type Bytes } from "../internal/bytes.ts";
import type { IncomingMessage } from "./json-rpc.ts";

/** How the server writes one kind of message that carries bytes: a head, base64 and a tail. */
export interface PayloadForm {
  readonly head: RegExp;
  readonly tail: RegExp;
  /** Makes the message. `head` and `tail` hold what varies in them, from index 1. */
  readonly message: (head: readonly string[], bytes: Bytes, tail: readonly string[]) => IncomingMessage;
}

/** The longest head and tail of a form, in characters. */
const MAX_HEAD = 256;
const MAX_TAIL = 64;

/** A frame up to this length, in bytes, becomes one text, whose slices cost nothing. A longer text costs more than slices of bytes. */
const MAX_TEXT = 32 * 1024;

/**
 * @param pattern The whole message, with `TEXT` and `INTEGER` for what varies and `BYTES` for the base64. Alternatives
 * are groups of a regular expression. Braces stand for themselves.
 */
export function payloadForm(pattern: string, message: PayloadForm["message"]): PayloadForm {
  const [head, tail] = pattern
    .replace(/[{}]/g, "\\$&")
    // Characters that a JSON string holds unescaped, and integers that a number holds exactly.
    .replace("TEXT", "([ !#-[\\]-~]*)")
    .replaceAll("INTEGER", "(0|[1-9]\\d{0,14})")
    .split("BYTES");
  return { head: new RegExp(`^${head}`), tail: new RegExp(`${tail}$`), message };
}

/**
 * Decodes a frame of exactly one of these forms without the JSON parser, which would look at each character of the
 * base64 and copy it. Returns undefined for every other frame: the JSON parser decides what it is.
 */
export function decodePayload(
  frame: string | Uint8Array,
  forms: readonly PayloadForm[],
): IncomingMessage | undefined {
  const { length } = frame;
  const data = length <= MAX_TEXT ? asciiSlice(frame, 0, length) : frame;
  const beginning = asciiSlice(data, 0, MAX_HEAD);
  for (const form of forms) {
    const head = form.head.exec(beginning);
    if (!head) continue;
    const start = head[0].length;
    const tail = form.tail.exec(asciiSlice(data, Math.max(start, length - MAX_TAIL), length));
    if (!tail) continue;
    // Strict base64: it can contain no quote, escape or control character.
    const bytes = decodeBase64(data, start, length - tail[0].length);
    return bytes && form.message(head, bytes, tail);
  }
  return undefined;
}
