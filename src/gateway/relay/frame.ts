import { randomBytes } from "node:crypto";

/** Opcodes of RFC 6455, 5.2. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export const FIN = 0x80;
const MASKED = 0x80;
const KEY_BYTES = 4;

/** How a frame that breaks the protocol, or passes a limit, ends its connection. The message is the reason sent. */
export class FrameError extends Error {
  readonly code: 1002 | 1007 | 1008 | 1009;

  constructor(code: FrameError["code"], reason: string) {
    super(reason);
    this.code = code;
  }
}

export interface FrameHeader {
  readonly isFinal: boolean;
  readonly opcode: number;
  /** Bytes of the payload. */
  readonly length: number;
  /** Bytes of the header. */
  readonly size: number;
  /** Whether the length has the shortest form, which browsers insist on. */
  readonly isShortest: boolean;
}

/**
 * Reads the header at `at`. Returns undefined while it is incomplete, but throws a FrameError as soon as the first two
 * bytes are wrong.
 */
export function readHeader(bytes: Buffer, at: number, isMasked: boolean): FrameHeader | undefined {
  if (bytes.length - at < 2) return undefined;
  const first = bytes[at] as number;
  const second = bytes[at + 1] as number;
  const opcode = first & 0x0f;
  const isFinal = first >= FIN;
  const short = second & 0x7f;
  if (first & 0x70) throw new FrameError(1002, "reserved bits must be clear");
  if (opcode > 10 || (opcode > 2 && opcode < 8)) throw new FrameError(1002, "unknown opcode");
  if (opcode >= 8 && !(isFinal && short < 126)) throw new FrameError(1002, "invalid control frame");
  if (second >= MASKED !== isMasked)
    throw new FrameError(1002, `frame must ${isMasked ? "" : "not "}be masked`);

  const size = 2 + (short < 126 ? 0 : short === 126 ? 2 : 8) + (isMasked ? KEY_BYTES : 0);
  if (bytes.length - at < size) return undefined;
  if (short < 126) return { isFinal, opcode, length: short, size, isShortest: true };
  if (short === 126) {
    const length = bytes.readUInt16BE(at + 2);
    return { isFinal, opcode, length, size, isShortest: length > 125 };
  }
  // Exact up to 2 ** 53, which is beyond every limit.
  const length = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
  return { isFinal, opcode, length, size, isShortest: length > 0xffff };
}

/**
 * Builds the header of a frame.
 *
 * @param key The masking key; undefined for a frame without a mask.
 * @param shift The bytes by which the payload is away from the place that the key belongs to.
 */
export function writeHeader(firstByte: number, length: number, key?: Uint8Array, shift = 0): Buffer {
  const extended = length < 126 ? 0 : length <= 0xffff ? 2 : 8;
  const header = Buffer.allocUnsafe(2 + extended + (key ? KEY_BYTES : 0));
  header[0] = firstByte;
  header[1] = (key ? MASKED : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) header.writeUInt16BE(length, 2);
  if (extended === 8) header.writeBigUInt64BE(BigInt(length), 2);
  for (let i = 0; key && i < KEY_BYTES; i++)
    header[2 + extended + i] = key[(shift + i) % KEY_BYTES] as number;
  return header;
}

/** The payload at `at` of a frame whose key stands before it, as a copy. */
export function unmasked(bytes: Buffer, at: number, length: number, isMasked: boolean): Buffer {
  const payload = Buffer.from(bytes.subarray(at, at + length));
  return isMasked ? applyMask(payload, bytes.subarray(at - KEY_BYTES, at)) : payload;
}

/** A whole control frame. A client has to mask its frames; the key of an empty one masks nothing. */
export function controlFrame(opcode: number, payload: Uint8Array, isMasked: boolean): Buffer {
  const key = isMasked
    ? payload.length === 0
      ? Buffer.alloc(KEY_BYTES)
      : randomBytes(KEY_BYTES)
    : undefined;
  const bytes = Buffer.from(payload);
  return Buffer.concat([writeHeader(FIN | opcode, bytes.length, key), key ? applyMask(bytes, key) : bytes]);
}

function applyMask(payload: Buffer, key: Uint8Array): Buffer {
  for (let i = 0; i < payload.length; i++)
    payload[i] = (payload[i] as number) ^ (key[i % KEY_BYTES] as number);
  return payload;
}
