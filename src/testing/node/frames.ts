/** Encodes WebSocket frames of a server, final and unmasked. The `ws` package can not cut a frame at a given byte. */

const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;

/** A frame with a reserved opcode, for which every WebSocket reports an error. */
export const INVALID_FRAME = /* @__PURE__ */ Uint8Array.of(0x83, 0);

export function dataFrame(data: string | Uint8Array): Buffer {
  return frame(typeof data === "string" ? TEXT : BINARY, Buffer.from(data));
}

export function closeFrame(code: number, reason: string): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return frame(CLOSE, Buffer.concat([head, Buffer.from(reason)]));
}

function frame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x80 | opcode), lengthOf(payload), payload]);
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 126) return Buffer.of(length);
  if (length < 0x10000) return Buffer.of(126, length >> 8, length & 0xff);
  const bytes = Buffer.alloc(9, 127);
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}
