import fc from "fast-check";
import { expect, it } from "vitest";
import { concatBytes, exceedsUtf8Bytes, randomId, utf8 } from "../../src/internal/bytes.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", "\ud800") }),
);

it("counts UTF-8 bytes, not characters", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: -3, max: 3 }), (text, offset) => {
      const actual = Buffer.byteLength(text);
      const limit = actual + offset;
      expect(exceedsUtf8Bytes(text, limit)).toBe(actual > limit);
    }),
  );
});

it("encodes a lone surrogate as U+FFFD", () => {
  expect(utf8("\ud800")).toEqual(new Uint8Array([0xef, 0xbf, 0xbd]));
});

it("joins chunks in order, also views of other buffers", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.array(fc.nat(40)), (whole, cuts) => {
      const edges = [
        0,
        ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b),
        whole.length,
      ];
      const chunks = edges.slice(1).map((edge, i) => whole.subarray(edges[i], edge));
      expect(concatBytes(chunks)).toEqual(whole);
    }),
  );
});

it("shares no memory with the joined chunks", () => {
  const chunk = new Uint8Array([1]);
  concatBytes([chunk])[0] = 2;
  expect(chunk[0]).toBe(1);
});

it("creates unique ids of 128 bits", () => {
  const ids = Array.from({ length: 1_000 }, randomId);
  expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
});
