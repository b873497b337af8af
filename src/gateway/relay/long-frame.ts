import { FIN, type FrameHeader, OPCODE, writeHeader } from "./frame.ts";
import { Pieces } from "./pieces.ts";

/**
 * A shorter fragment is held back: each costs a system call, and a peer may allow a message no more than 16,384 of them.
 */
export const MIN_FRAGMENT = 128 * 1024;

/**
 * A data frame that arrives in pieces. It is passed on as fragments, each once its bytes are there, so that a control frame
 * fits between any two writes. The payload keeps its mask: the key of a fragment is that of the frame, turned to its place.
 */
export class LongFrame {
  readonly #isFinal: boolean;
  readonly #key: Buffer | undefined;
  #opcode: number;
  /** Bytes of the payload that have not arrived. */
  #missing: number;
  #passed = 0;
  readonly #held = new Pieces();

  /** @param key The masking key, copied. */
  constructor({ isFinal, opcode, length }: FrameHeader, key: Buffer | undefined) {
    this.#isFinal = isFinal;
    this.#opcode = opcode === OPCODE.binary ? OPCODE.text : opcode;
    this.#missing = length;
    this.#key = key && Buffer.from(key);
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** Takes its bytes of what has arrived from `at` on. Adds what can be passed on to `parts`. Returns where its bytes end. */
  take(chunk: Buffer, at: number, parts: Buffer[]): number {
    const end = Math.min(at + this.#missing, chunk.length);
    if (end > at) this.#held.add(chunk.subarray(at, end));
    this.#missing -= end - at;
    if (this.isComplete || this.#held.length >= MIN_FRAGMENT) this.#pass(parts);
    return end;
  }

  #pass(parts: Buffer[]): void {
    const fin = this.isComplete && this.#isFinal ? FIN : 0;
    const { length } = this.#held;
    parts.push(writeHeader(fin | this.#opcode, length, this.#key, this.#passed), ...this.#held.take());
    this.#opcode = OPCODE.continuation;
    this.#passed += length;
  }
}
