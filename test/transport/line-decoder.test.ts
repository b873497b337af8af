import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineDecoder } from "../../src/transport/line-decoder.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

/** All lines before the end or the first error, as latin1 text. */
function decode(maxLength: number, chunks: Iterable<Uint8Array>): { lines: string[]; failed: boolean } {
  const decoder = new LineDecoder(maxLength);
  const lines: string[] = [];
  try {
    for (const chunk of chunks) {
      for (const line of decoder.push(chunk)) lines.push(Buffer.from(line).toString("latin1"));
    }
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return { lines, failed: true };
  }
  return { lines, failed: false };
}

function split(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const edges = [0, ...at.map((edge) => edge % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
}

const splits = fc.array(fc.nat(), { maxLength: 20 });
/** Text with many line endings, and with characters that resemble one. */
const stream = fc
  .array(
    fc.oneof(
      fc.constantFrom("\n", "\r\n", "\r", " ", "\t"),
      fc.constantFrom("{}", "é", "😀", "\u2028", "\u0085", "ab"),
    ),
  )
  .map((parts) => bytesOf(parts.join("")));

describe("LineDecoder", () => {
  it("yields the same lines for any chunk boundaries", () => {
    fc.assert(
      fc.property(fc.oneof(stream, fc.uint8Array()), splits, (bytes, at) => {
        expect(decode(1_000, split(bytes, at))).toEqual(decode(1_000, [bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it("yields the text between line endings, without blank lines", () => {
    fc.assert(
      fc.property(stream, splits, (bytes, at) => {
        const expected = textOf(bytes)
          .split("\n")
          .slice(0, -1)
          .map((line) => line.replace(/\r$/, ""))
          .filter((line) => /[^ \t\r]/.test(line));
        const decoder = new LineDecoder(1_000);
        expect(split(bytes, at).flatMap((chunk) => [...decoder.push(chunk)].map(textOf))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it("yields a line with the chunk that completes it", () => {
    const decoder = new LineDecoder(100);
    expect([...decoder.push(bytesOf("a\nb\r"))]).toEqual([bytesOf("a")]);
    expect([...decoder.push(bytesOf(""))]).toEqual([]);
    expect([...decoder.push(bytesOf("\nc"))]).toEqual([bytesOf("b")]);
    expect([...decoder.push(bytesOf("\n"))]).toEqual([bytesOf("c")]);
  });

  it("keeps a character whole that is split over chunks", () => {
    const decoder = new LineDecoder(100);
    const bytes = bytesOf("😀é\n");
    const lines = [...bytes].flatMap((byte) => [...decoder.push(new Uint8Array([byte]))]);
    expect(lines.map(textOf)).toEqual(["😀é"]);
  });
});

describe("maxLength", () => {
  const MAX = 8;

  it.each(["\n", "\r\n"])(
    "accepts a line of exactly that length before %j and rejects one more byte",
    (end) => {
      fc.assert(
        fc.property(splits, (at) => {
          const longest = "x".repeat(MAX);
          expect(decode(MAX, split(bytesOf(longest + end), at))).toEqual({ lines: [longest], failed: false });
          expect(decode(MAX, split(bytesOf(`x${longest}${end}`), at))).toEqual({ lines: [], failed: true });
        }),
      );
    },
  );

  it("is counted in bytes", () => {
    expect(decode(MAX, [bytesOf("😀😀\n")]).failed).toBe(false);
    expect(decode(MAX, [bytesOf("😀😀x\n")]).failed).toBe(true);
  });

  it("applies to each line separately", () => {
    const two = `${"x".repeat(MAX)}\r\n`.repeat(2);
    expect(decode(MAX, [bytesOf(two)])).toEqual({ lines: ["xxxxxxxx", "xxxxxxxx"], failed: false });
  });

  it("rejects a line that never ends", () => {
    const decoder = new LineDecoder(MAX);
    const byte = bytesOf("x");
    let pushed = 0;
    expect(() => {
      for (; pushed < 100; pushed++) expect([...decoder.push(byte)]).toEqual([]);
    }).toThrow(RangeError);
    expect(pushed).toBeLessThanOrEqual(MAX + 1);
  });

  it("rejects a blank line over the limit", () => {
    expect(decode(MAX, [bytesOf(" ".repeat(MAX + 2))]).failed).toBe(true);
  });

  it("yields the complete lines before a line over the limit, for any chunk boundaries", () => {
    const bytes = bytesOf(`one\ntwo\n${"x".repeat(MAX + 2)}\n`);
    fc.assert(
      fc.property(splits, (at) => {
        expect(decode(MAX, split(bytes, at))).toEqual({ lines: ["one", "two"], failed: true });
      }),
    );
  });
});
