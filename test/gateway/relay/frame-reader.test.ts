import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { controlFrame, FrameError } from "../../../src/gateway/relay/frame.ts";
import { FrameReader } from "../../../src/gateway/relay/frame-reader.ts";
import { cut, type Decoded, decodedByWs, encode, frameStream } from "../../support/frame-stream.ts";

const MAX = 512 * 1024;
const PING = 9;
const CLOSE = 8;

const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

/** Reads the pieces, and puts what `between` returns behind whatever is passed on at once. */
function relayed(
  pieces: readonly Buffer[],
  isMasked: boolean,
  between: () => Buffer = () => Buffer.alloc(0),
) {
  const passed: Buffer[] = [];
  const pings: string[] = [];
  let closeCode: number | undefined;
  const reader = new FrameReader(isMasked, MAX, {
    onData: (parts) => passed.push(...parts.map((part) => Buffer.from(part)), between()),
    onPing: (payload) => pings.push(payload.toString()),
    onClose: (code) => {
      closeCode = code;
    },
  });
  let error: unknown;
  try {
    for (const piece of pieces) reader.read(piece);
  } catch (thrown) {
    if (!(thrown instanceof FrameError)) throw thrown;
    error = thrown;
    closeCode = thrown.code;
  }
  return { bytes: Buffer.concat(passed), pings, closeCode, error, frames: reader.frames };
}

describe("any stream of frames, cut anywhere,", () => {
  test("gives the same messages at the other end, as text and without control frames", async () => {
    await fc.assert(
      fc.asyncProperty(frameStream, places, async ({ bytes, isMasked, messages, pings }, cuts) => {
        const result = relayed(cut(bytes, cuts), isMasked);
        expect(result.pings).toEqual(pings);
        const decoded = await decodedByWs(result.bytes, isMasked);
        expect(decoded.error).toBeUndefined();
        expect(decoded.messages.map((text, i) => text === messages[i])).toEqual(messages.map(() => true));
        expect(decoded).toMatchObject({ binary: 0, pings: [] });
      }),
      { numRuns: 200 },
    );
  });

  test("leaves room for a control frame after whatever is passed on at once", async () => {
    await fc.assert(
      fc.asyncProperty(frameStream, places, async ({ bytes, isMasked, messages }, cuts) => {
        const ping = controlFrame(PING, Buffer.from("between"), isMasked);
        const result = relayed(cut(bytes, cuts), isMasked, () => ping);
        const decoded = await decodedByWs(result.bytes, isMasked);
        expect(decoded.error).toBeUndefined();
        expect(decoded.messages.map((text, i) => text === messages[i])).toEqual(messages.map(() => true));
        expect(new Set(decoded.pings)).toEqual(new Set(["between"]));
      }),
      { numRuns: 100 },
    );
  });

  test("leaves room for a close frame wherever it breaks off", async () => {
    await fc.assert(
      fc.asyncProperty(
        frameStream,
        places,
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (stream, cuts, part) => {
          const { bytes, isMasked, messages } = stream;
          const begun = bytes.subarray(0, Math.floor(part * bytes.length));
          const result = relayed(cut(begun, cuts), isMasked);
          const closed = Buffer.concat([
            result.bytes,
            controlFrame(CLOSE, Buffer.from([0x0f, 0xa1]), isMasked),
          ]);
          const decoded = await decodedByWs(closed, isMasked);
          expect(decoded).toMatchObject({ error: undefined, closeCode: 4001 });
          expect(decoded.messages.every((text, i) => text === messages[i])).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("ends with the code that ws gives when some of its bytes are wrong, after the messages before", async () => {
    const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(
        frameStream,
        places,
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async ({ bytes: valid, isMasked }, cuts, changes) => {
          const bytes = Buffer.from(valid);
          for (const [place, value] of changes)
            bytes[Math.floor(place * Math.min(bytes.length - 1, 40))] = value;
          const expected = await decodedByWs(bytes, isMasked, MAX);
          const result = relayed(cut(bytes, cuts), isMasked);
          expect(result.closeCode).toBe(expected.closeCode);
          const decoded: Decoded = await decodedByWs(result.bytes, isMasked);
          expect(decoded.error).toBeUndefined();
          expect(decoded.messages).toEqual(expected.messages);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a frame", () => {
  const key = Buffer.from([1, 2, 3, 4]);
  const text = (payload: string, firstByte = 0x81) =>
    encode({ firstByte, payload: Buffer.from(payload), key, isLong: false });

  test("that arrives byte by byte is passed on once it is whole, in few pieces", () => {
    const bytes = text("x".repeat(100_000));
    const batches: number[] = [];
    const reader = new FrameReader(true, MAX, {
      onData: (parts) => batches.push(parts.length),
      onPing() {},
      onClose() {},
    });
    for (const byte of bytes) reader.read(Buffer.of(byte));
    expect(batches).toHaveLength(1);
    expect(batches[0]).toBeLessThan(30);
  });

  test("counts once, however many fragments it becomes", () => {
    const bytes = text("x".repeat(400_000));
    expect(relayed(cut(bytes, [0.2, 0.4, 0.6, 0.8]), true).frames).toBe(1);
  });

  test("after a close frame is not read", () => {
    const close = encode({ firstByte: 0x88, payload: Buffer.alloc(0), key, isLong: false });
    const result = relayed([Buffer.concat([text("before"), close, text("after")]), text("later")], true);
    expect(result).toMatchObject({ closeCode: 1005, frames: 1 });
  });

  test.each([
    ["a message above the limit in one frame", 1009, [[0x81, MAX + 1]]],
    [
      "a message above the limit in fragments",
      1009,
      [
        [0x01, MAX],
        [0x80, 1],
      ],
    ],
    ["16,385 fragments", 1008, [[0x01, 0], ...Array.from({ length: 16_384 }, () => [0x00, 0])]],
  ] as const)("that makes %s is refused with %i", (_, code, frames) => {
    const bytes = frames.map(([firstByte, length]) =>
      encode({ firstByte, payload: Buffer.alloc(length), key, isLong: false }),
    );
    expect(relayed(bytes, true).closeCode).toBe(code);
  });

  test("of a message at the limit is passed on, and the next message begins anew", () => {
    const bytes = [
      encode({ firstByte: 0x01, payload: Buffer.alloc(MAX - 1), key, isLong: false }),
      encode({ firstByte: 0x80, payload: Buffer.alloc(1), key, isLong: false }),
      encode({ firstByte: 0x81, payload: Buffer.alloc(MAX), key, isLong: false }),
    ];
    expect(relayed(bytes, true)).toMatchObject({ error: undefined, frames: 3 });
  });

  test.each([1004, 1005, 1006, 1015, 999, 2999, 5000])(
    "of a close with the code %i is refused with 1002",
    (code) => {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      expect(relayed([encode({ firstByte: 0x88, payload, key, isLong: false })], true).closeCode).toBe(1002);
    },
  );

  test("of a close whose reason is not UTF-8 is refused with 1007", () => {
    const payload = Buffer.from([0x03, 0xe8, 0xff]);
    expect(relayed([encode({ firstByte: 0x88, payload, key, isLong: false })], true).closeCode).toBe(1007);
  });
});
