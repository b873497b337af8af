import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineDecoder } from "../../src/transport/line-decoder.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

/** Everything that comes out before the end or the first failure, as text where it is. */
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

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const edges = [0, ...at.map((edge) => edge % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
}

const cuts = fc.array(fc.nat(), { maxLength: 20 });
/** Rich in line ends, and in what might be mistaken for one. */
const stream = fc
  .array(
    fc.oneof(
      fc.constantFrom("\n", "\r\n", "\r", " ", "\t"),
      fc.constantFrom("{}", "é", "😀", "\u2028", "\u0085", "ab"),
    ),
  )
  .map((parts) => bytesOf(parts.join("")));

describe("lines", () => {
  it("are the same wherever the bytes are cut", () => {
    fc.assert(
      fc.property(fc.oneof(stream, fc.uint8Array()), cuts, (bytes, at) => {
        expect(decode(1_000, cut(bytes, at))).toEqual(decode(1_000, [bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it("are what stands between line ends, without blank ones", () => {
    fc.assert(
      fc.property(stream, cuts, (bytes, at) => {
        const expected = textOf(bytes)
          .split("\n")
          .slice(0, -1)
          .map((line) => line.replace(/\r$/, ""))
          .filter((line) => /[^ \t\r]/.test(line));
        const decoder = new LineDecoder(1_000);
        expect(cut(bytes, at).flatMap((chunk) => [...decoder.push(chunk)].map(textOf))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it("come as soon as their end does", () => {
    const decoder = new LineDecoder(100);
    expect([...decoder.push(bytesOf("a\nb\r"))]).toEqual([bytesOf("a")]);
    expect([...decoder.push(bytesOf(""))]).toEqual([]);
    expect([...decoder.push(bytesOf("\nc"))]).toEqual([bytesOf("b")]);
    expect([...decoder.push(bytesOf("\n"))]).toEqual([bytesOf("c")]);
  });

  it("keep a character whole that was cut in two", () => {
    const decoder = new LineDecoder(100);
    const bytes = bytesOf("😀é\n");
    const lines = [...bytes].flatMap((byte) => [...decoder.push(new Uint8Array([byte]))]);
    expect(lines.map(textOf)).toEqual(["😀é"]);
  });
});

describe("the longest line", () => {
  const MAX = 8;

  it.each(["\n", "\r\n"])("is accepted with %j, and one byte more is not", (end) => {
    fc.assert(
      fc.property(cuts, (at) => {
        const longest = "x".repeat(MAX);
        expect(decode(MAX, cut(bytesOf(longest + end), at))).toEqual({ lines: [longest], failed: false });
        expect(decode(MAX, cut(bytesOf(`x${longest}${end}`), at))).toEqual({ lines: [], failed: true });
      }),
    );
  });

  it("is counted in bytes", () => {
    expect(decode(MAX, [bytesOf("😀😀\n")]).failed).toBe(false);
    expect(decode(MAX, [bytesOf("😀😀x\n")]).failed).toBe(true);
  });

  it("may follow another one", () => {
    const two = `${"x".repeat(MAX)}\r\n`.repeat(2);
    expect(decode(MAX, [bytesOf(two)])).toEqual({ lines: ["xxxxxxxx", "xxxxxxxx"], failed: false });
  });

  it("bounds a line that never ends", () => {
    const decoder = new LineDecoder(MAX);
    const byte = bytesOf("x");
    let pushed = 0;
    expect(() => {
      for (; pushed < 100; pushed++) expect([...decoder.push(byte)]).toEqual([]);
    }).toThrow(RangeError);
    expect(pushed).toBeLessThanOrEqual(MAX + 1);
  });

  it("bounds blank lines too", () => {
    expect(decode(MAX, [bytesOf(" ".repeat(MAX + 2))]).failed).toBe(true);
  });

  it("costs no line that was complete before, wherever the bytes are cut", () => {
    const bytes = bytesOf(`one\ntwo\n${"x".repeat(MAX + 2)}\n`);
    fc.assert(
      fc.property(cuts, (at) => {
        expect(decode(MAX, cut(bytes, at))).toEqual({ lines: ["one", "two"], failed: true });
      }),
    );
  });
});
