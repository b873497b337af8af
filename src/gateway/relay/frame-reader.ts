import { FrameError, type FrameHeader, OPCODE, readHeader, unmasked } from "./frame.ts";
import { LongFrame, MIN_FRAGMENT } from "./long-frame.ts";
import { Pieces } from "./pieces.ts";

/** Fragments of one message; `ws` has the same limit. */
const MAX_FRAGMENTS = 16 * 1024;
/** The close code of a close frame without one. */
const NO_CODE = 1005;

export interface FrameReceiver {
  /** Frames of data, whole or as fragments, in parts that follow each other. Nothing else comes inside of them. */
  onData(parts: readonly Buffer[]): void;
  onPing(payload: Buffer): void;
  /** Nothing is read after it. */
  onClose(code: number): void;
}

/**
 * Reads the frames of one direction by their headers: payloads stay as they are, masked or not. Frames of bytes become
 * frames of text, and every length takes its shortest form.
 */
export class FrameReader {
  readonly #isMasked: boolean;
  readonly #maxMessageBytes: number;
  readonly #receiver: FrameReceiver;
  /** The beginning of a header or of a control frame: at most 139 bytes. */
  #rest: Buffer | undefined;
  /** A frame of data that is too short for fragments, from its header on, and the bytes that it lacks. */
  readonly #held = new Pieces();
  #missing = 0;
  #longFrame: LongFrame | undefined;
  #isInMessage = false;
  #messageBytes = 0;
  #fragments = 0;
  #isClosed = false;
  /** Frames of data that have begun. */
  frames = 0;

  constructor(isMasked: boolean, maxMessageBytes: number, receiver: FrameReceiver) {
    this.#isMasked = isMasked;
    this.#maxMessageBytes = maxMessageBytes;
    this.#receiver = receiver;
  }

  /** Whether a frame of data has begun whose end has not arrived. */
  get isInFrame(): boolean {
    return this.#missing > 0 || this.#longFrame !== undefined;
  }

  /** Throws a FrameError for the first wrong frame, after passing on those before it. May change the bytes. */
  read(received: Buffer): void {
    if (this.#isClosed) return;
    const chunk = this.#rest ? Buffer.concat([this.#rest, received]) : received;
    this.#rest = undefined;
    const parts: Buffer[] = [];
    try {
      this.#read(chunk, parts);
    } finally {
      this.#flush(parts);
    }
  }

  #read(chunk: Buffer, parts: Buffer[]): void {
    let at = this.#longFrame ? this.#continueLongFrame(chunk, 0, parts) : 0;
    do {
      at = this.#passWholeFrames(chunk, at, parts);
      const header = readHeader(chunk, at, this.#isMasked);
      if (!header || (isControl(header) && endOf(header, at) > chunk.length)) {
        if (at < chunk.length) this.#rest = Buffer.from(chunk.subarray(at));
        return;
      }
      if (isControl(header)) at = this.#control(header, chunk, at, parts);
      else if (!header.isShortest || header.length > MIN_FRAGMENT)
        at = this.#beginLongFrame(header, chunk, at, parts);
      else at = this.#hold(header, chunk, at);
    } while (at < chunk.length && !this.#isClosed);
  }

  /** Adds the whole frames of data that begin at `start`, or end there, as one part. Returns where they end. */
  #passWholeFrames(chunk: Buffer, start: number, parts: Buffer[]): number {
    let at = start;
    if (this.#missing > 0) {
      at += Math.min(this.#missing, chunk.length - at);
      this.#missing -= at - start;
      if (this.#missing > 0) {
        this.#held.add(chunk.subarray(start));
        return at;
      }
      parts.push(...this.#held.take());
    }
    try {
      for (;;) {
        const header = readHeader(chunk, at, this.#isMasked);
        if (!header?.isShortest || isControl(header) || endOf(header, at) > chunk.length) return at;
        this.#count(header);
        toText(chunk, at, header);
        at = endOf(header, at);
      }
    } finally {
      // The usual chunk is one frame.
      if (at > start) parts.push(at - start === chunk.length ? chunk : chunk.subarray(start, at));
    }
  }

  #hold(header: FrameHeader, chunk: Buffer, at: number): number {
    this.#count(header);
    toText(chunk, at, header);
    this.#held.add(chunk.subarray(at));
    this.#missing = endOf(header, at) - chunk.length;
    return chunk.length;
  }

  /** Passes the parts on and empties their list. */
  #flush(parts: Buffer[]): void {
    if (parts.length > 0) this.#receiver.onData(parts.splice(0));
  }

  #count({ opcode, isFinal, length }: FrameHeader): void {
    const continues = opcode === OPCODE.continuation;
    if (continues !== this.#isInMessage) {
      throw new FrameError(1002, continues ? "no message to continue" : "the message before is incomplete");
    }
    this.frames++;
    this.#messageBytes += length;
    if (this.#messageBytes > this.#maxMessageBytes) throw new FrameError(1009, "the message is too long");
    if (++this.#fragments > MAX_FRAGMENTS) throw new FrameError(1008, "the message has too many fragments");
    this.#isInMessage = !isFinal;
    if (!isFinal) return;
    this.#messageBytes = 0;
    this.#fragments = 0;
  }

  #beginLongFrame(header: FrameHeader, chunk: Buffer, at: number, parts: Buffer[]): number {
    this.#count(header);
    const start = at + header.size;
    const key = this.#isMasked ? chunk.subarray(start - 4, start) : undefined;
    this.#longFrame = new LongFrame(header, key);
    return this.#continueLongFrame(chunk, start, parts);
  }

  #continueLongFrame(chunk: Buffer, at: number, parts: Buffer[]): number {
    const frame = this.#longFrame as LongFrame;
    const end = frame.take(chunk, at, parts);
    if (frame.isComplete) this.#longFrame = undefined;
    return end;
  }

  #control(header: FrameHeader, chunk: Buffer, at: number, parts: Buffer[]): number {
    const payload = unmasked(chunk, at + header.size, header.length, this.#isMasked);
    if (header.opcode === OPCODE.ping) this.#receiver.onPing(payload);
    if (header.opcode === OPCODE.close) {
      const code = closeCodeOf(payload);
      this.#isClosed = true;
      this.#flush(parts);
      this.#receiver.onClose(code);
    }
    return endOf(header, at);
  }
}

function toText(chunk: Buffer, at: number, { opcode }: FrameHeader): void {
  if (opcode === OPCODE.binary) chunk[at] = (chunk[at] as number) - OPCODE.binary + OPCODE.text;
}

const isControl = ({ opcode }: FrameHeader): boolean => opcode >= OPCODE.close;
const endOf = ({ size, length }: FrameHeader, at: number): number => at + size + length;

function closeCodeOf(payload: Buffer): number {
  if (payload.length === 0) return NO_CODE;
  const code = payload.length === 1 ? 0 : payload.readUInt16BE(0);
  // 1004 to 1006 are reserved, 1015 is never sent.
  const isValid =
    (code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006)) || (code >= 3000 && code <= 4999);
  if (!isValid) throw new FrameError(1002, "invalid close code");
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(payload.subarray(2));
  } catch {
    throw new FrameError(1007, "invalid close reason");
  }
  return code;
}
