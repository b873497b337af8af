import { once } from "node:events";
import type { Writable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as ws from "ws";
import { maskedFrame } from "../../src/node/masked-frame.ts";

/** Missing in the types of `ws`. */
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** The text that a server of `ws` decodes from a frame. */
async function received(frame: Uint8Array): Promise<string> {
  const receiver = new Receiver({ isServer: true });
  const message = once(receiver, "message");
  receiver.end(frame);
  const [data, isBinary] = await message;
  expect(isBinary).toBe(false);
  return String(data);
}

describe("maskedFrame()", () => {
  it("encodes head, base64 and tail as one text message", async () => {
    const text = fc.string({ unit: "grapheme", maxLength: 200 });
    const bytes = fc.uint8Array({ maxLength: 100_000, size: "max" });
    await fc.assert(
      fc.asyncProperty(text, bytes, text, async (head, payload, tail) => {
        const whole = head + Buffer.from(payload).toString("base64") + tail;
        expect(await received(maskedFrame(head, payload, tail))).toBe(whole);
      }),
      { numRuns: 200 },
    );
  });

  it.each([0, 1, 2, 3, 4, 5, 123, 124, 125, 126, 127, 128, 65_533, 65_534, 65_535, 65_536, 65_537])(
    "encodes a message of %i characters with the right length",
    async (length) => {
      const text = "x".repeat(length);
      expect(await received(maskedFrame(text, new Uint8Array(), ""))).toBe(text);
      expect(await received(maskedFrame("", new Uint8Array(), text))).toBe(text);
    },
  );

  it("encodes bytes of several pieces at any offset of a larger buffer", async () => {
    const memory = Uint8Array.from({ length: 100_003 }, (_, i) => (i * 31) % 251);
    for (const from of [0, 1, 2, 3]) {
      const bytes = memory.subarray(from);
      expect(await received(maskedFrame("<", bytes, ">"))).toBe(`<${Buffer.from(bytes).toString("base64")}>`);
    }
  });

  it("uses a new key for each frame", () => {
    const keys = Array.from({ length: 3_000 }, () =>
      maskedFrame("", new Uint8Array(), "").subarray(2, 6).join(),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});
