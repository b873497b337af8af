import * as fc from "fast-check";
import * as ws from "ws";

/** A frame as it stands on the wire. */
export interface WireFrame {
  readonly firstByte: number;
  readonly payload: Buffer;
  /** Undefined for a frame without a mask. */
  readonly key: Buffer | undefined;
  /** Whether the length takes 64 bits, however short it is. */
  readonly isLong: boolean;
}

export function encode({ firstByte, payload, key, isLong }: WireFrame): Buffer {
  const { length } = payload;
  const mask = key ? 0x80 : 0;
  let header: Buffer;
  if (isLong || length > 0xffff) {
    header = Buffer.from([firstByte, mask | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(length, 6);
  } else if (length > 125) header = Buffer.from([firstByte, mask | 126, length >> 8, length & 0xff]);
  else header = Buffer.from([firstByte, mask | length]);
  if (!key) return Buffer.concat([header, payload]);
  const masked = payload.map((byte, i) => byte ^ (key[i % 4] as number));
  return Buffer.concat([header, key, masked]);
}

const TEXT = 1;
const BINARY = 2;
const PING = 9;
const PONG = 10;

interface Message {
  readonly text: string;
  readonly isBinary: boolean;
  /** Where it is cut into fragments, as parts of its length. */
  readonly cuts: readonly number[];
  /** Control frames that follow its fragments. */
  readonly controls: readonly (typeof PING | typeof PONG | undefined)[];
}

const message = fc.record<Message>({
  text: fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: "grapheme", maxLength: 200 }) },
    {
      weight: 2,
      arbitrary: fc.integer({ min: 60_000, max: 70_000 }).map((length) => "ü".repeat(length / 2)),
    },
    { weight: 1, arbitrary: fc.integer({ min: 120_000, max: 400_000 }).map((length) => "x".repeat(length)) },
  ),
  isBinary: fc.boolean(),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
  controls: fc.array(fc.constantFrom(PING, PONG, undefined), { maxLength: 4 }),
});

/** A valid stream of frames in one direction. */
export interface FrameStream {
  readonly isMasked: boolean;
  readonly messages: readonly string[];
  /** The payloads of the pings. */
  readonly pings: readonly string[];
  readonly bytes: Buffer;
}

export const frameStream: fc.Arbitrary<FrameStream> = fc
  .record({
    isMasked: fc.boolean(),
    isLong: fc.boolean(),
    messages: fc.array(message, { minLength: 1, maxLength: 5 }),
    key: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((key) => Buffer.from(key)),
  })
  .map(({ isMasked, isLong, messages, key }) => {
    const pings: string[] = [];
    const frames = messages.flatMap(({ text, isBinary, cuts, controls }) => {
      const payload = Buffer.from(text);
      const places = [
        0,
        ...cuts.map((cut) => Math.floor(cut * payload.length)).sort((a, b) => a - b),
        payload.length,
      ];
      return places.slice(1).flatMap((end, i) => {
        const isLast = i === places.length - 2;
        const opcode = i > 0 ? 0 : isBinary ? BINARY : TEXT;
        const data = {
          firstByte: (isLast ? 0x80 : 0) | opcode,
          payload: payload.subarray(places[i], end),
          isLong,
        };
        const control = controls[i];
        if (control === undefined) return [data];
        const content = `control ${pings.length}`;
        if (control === PING) pings.push(content);
        return [data, { firstByte: 0x80 | control, payload: Buffer.from(content), isLong: false }];
      });
    });
    return {
      isMasked,
      messages: messages.map(({ text }) => text),
      pings,
      bytes: Buffer.concat(frames.map((frame) => encode({ ...frame, key: isMasked ? key : undefined }))),
    };
  });

/** Cuts bytes at places given as parts of their length. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [
    ...places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  return ends
    .map((end, i) => Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end)))
    .filter(({ length }) => length > 0);
}

/** What `ws` reads of a stream. */
export interface Decoded {
  readonly messages: string[];
  readonly binary: number;
  readonly pings: string[];
  /** The code of the close frame, or of the error. */
  readonly closeCode: number | undefined;
  readonly error: string | undefined;
}

interface WsReceiver {
  on(event: string, listener: (...args: never[]) => void): void;
  end(bytes: Buffer, done: () => void): void;
}

/** Decodes the bytes as `ws` does, on the side that reads masked frames or unmasked ones. */
export async function decodedByWs(bytes: Buffer, isMasked: boolean, maxPayload = 0): Promise<Decoded> {
  const { Receiver: Decoder } = ws as unknown as { Receiver: new (options: object) => WsReceiver };
  const receiver = new Decoder({ isServer: isMasked, maxPayload, skipUTF8Validation: true });
  const decoded = {
    messages: [] as string[],
    binary: 0,
    pings: [] as string[],
    closeCode: undefined as number | undefined,
    error: undefined as string | undefined,
  };
  receiver.on("message", (data: Buffer, isBinary: boolean) => {
    decoded.messages.push(data.toString());
    if (isBinary) decoded.binary++;
  });
  receiver.on("ping", (data: Buffer) => decoded.pings.push(data.toString()));
  receiver.on("conclude", (code: number) => {
    decoded.closeCode = code;
  });
  return await new Promise((resolve) => {
    const done = (): void => resolve(decoded);
    receiver.on("error", (error: Error) => {
      const [status] = Object.getOwnPropertySymbols(error);
      decoded.closeCode = (error as unknown as Record<symbol, number>)[status as symbol];
      decoded.error = error.message;
      done();
    });
    receiver.on("finish", done);
    receiver.end(Buffer.from(bytes), () => {});
  });
}
