import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasLoneSurrogate, measureJson } from "../../src/protocol/json-limits.ts";

/** The same by walking the value. */
function walk(value: unknown): { values: number; depth: number } {
  if (typeof value !== "object" || value === null) return { values: 1, depth: 0 };
  const inner = Object.values(value).map(walk);
  return {
    values: 1 + inner.reduce((sum, { values }) => sum + values, 0),
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
  };
}

const value = fc.jsonValue({ stringUnit: "binary", maxDepth: 6 });

describe("measureJson", () => {
  it("counts what a walk of the value counts", () => {
    fc.assert(
      fc.property(value, (anything) => {
        expect(measureJson(JSON.stringify(anything))).toEqual(walk(anything));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['"', { values: 2, depth: 1 }],
    ["\\", { values: 2, depth: 1 }],
    ['\\"', { values: 2, depth: 1 }],
    ["[{,}]", { values: 2, depth: 1 }],
  ])("does not look into the text %s", (text, extent) => {
    expect(measureJson(JSON.stringify([text]))).toEqual(extent);
    expect(measureJson(JSON.stringify({ [text]: 1 }))).toEqual(extent);
  });
});

describe("hasLoneSurrogate", () => {
  const isWellFormed = (text: string): boolean => {
    try {
      encodeURIComponent(text);
      return true;
    } catch {
      return false;
    }
  };

  it("holds exactly for text that is not well-formed, as a value and as a name", () => {
    const unit = fc.constantFrom("\ud83d", "\ude00", "\\", "ud83d", "u", "d", "a", '"', "\n", "😀");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        expect(hasLoneSurrogate(JSON.stringify([text]))).toBe(!isWellFormed(text));
        expect(hasLoneSurrogate(JSON.stringify({ [text]: 1 }))).toBe(!isWellFormed(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it("takes time in proportion to the length", () => {
    const start = performance.now();
    expect(hasLoneSurrogate(JSON.stringify(`${"\\".repeat(2_000_000)}x\\ud83d`))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
