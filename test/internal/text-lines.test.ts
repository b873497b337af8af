import fc from "fast-check";
import { expect, it } from "vitest";
import { TextLines } from "../../src/internal/text-lines.ts";

it("returns the same lines and the same rest, however the text is split", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "é", "😀", "\n", "\r") }),
      fc.array(fc.nat()),
      (text, cuts) => {
        const bytes = new TextEncoder().encode(text);
        const edges = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const lines = new TextLines();
        const got = edges.slice(1).flatMap((edge, i) => lines.push(bytes.slice(edges[i], edge)));
        expect([...got, lines.rest]).toEqual(text.split("\n"));
      },
    ),
  );
});
