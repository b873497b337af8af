import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson } from "../../src/protocol/parse-json.ts";

/** The outcome of a parser: a value, or that there is none. */
function outcome(parse: (text: string) => unknown, text: string): unknown {
  try {
    return { value: parse(text) };
  } catch {
    return "no JSON";
  }
}

const key = fc.constantFrom("chunk", "dataBase64", "deltaBase64", "other");
const payload = fc.oneof(
  fc.nat(4_000).map((length) => "QUJD".repeat(length)),
  fc.string({ maxLength: 3_000 }),
  fc.constant(`${"A".repeat(3_000)}\\"`),
);
const filler = fc.oneof(
  fc.string({ maxLength: 600 }),
  fc.constantFrom('"chunk":"', "\\", '\\"chunk":"', "é€"),
);
const holder = fc.constantFrom("params", "result", "else");

/** Frames as the server writes them, and much that it never would. */
const frame = fc
  .record({ key, payload, filler, holder, after: fc.jsonValue({ maxDepth: 2 }), nested: fc.boolean() })
  .map(({ key, payload, filler, holder, after, nested }) => {
    const members = { processId: filler, [key]: payload, eof: false, after };
    return JSON.stringify({ id: 1, [holder]: nested ? { deeper: members } : members });
  });

describe("parseJson", () => {
  it("gives what JSON.parse gives for any frame", () => {
    fc.assert(
      fc.property(frame, (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it("gives what JSON.parse gives for a frame cut or changed anywhere", () => {
    fc.assert(
      fc.property(
        frame,
        fc.nat(),
        fc.nat(20),
        fc.constantFrom("", '"', "\\", "}", "{", ":", ",", "x"),
        (text, at, cut, put) => {
          const from = at % text.length;
          const broken = text.slice(0, from) + put + text.slice(from + cut);
          expect(outcome(parseJson, broken)).toEqual(outcome(JSON.parse, broken));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  const long = "A".repeat(5_000);
  it.each([
    ["a key given twice", `{"params":{"chunk":"${long}","chunk":"B"}}`],
    ["a key given twice, the second one empty", `{"params":{"chunk":"${long}","chunk":""}}`],
    [
      "a key that is spelled with an escape the second time",
      `{"params":{"chunk":"${long}","ch\\u0075nk":"B"}}`,
    ],
    ["the same, the second one empty", `{"params":{"chunk":"${long}","ch\\u0075nk":""}}`],
    ["a payload deeper down", `{"params":{"x":{"chunk":"${long}"}}}`],
    ["a payload at the top", `{"chunk":"${long}","params":{"chunk":""}}`],
    ["an empty one before a long one", `{"params":{"chunk":""},"result":{"chunk":"${long}"}}`],
    ["an array", `[{"params":{"chunk":"${long}"}}]`],
    ["nothing after it", `{"params":{"chunk":"${long}"`],
    ["__proto__", `{"__proto__":{"chunk":""},"params":{"chunk":"${long}"}}`],
    ["two holders", `{"params":{"chunk":"${long}"},"result":{"chunk":""}}`],
  ])("gives what JSON.parse gives for %s", (_, text) => {
    expect(outcome(parseJson, text)).toEqual(outcome(JSON.parse, text));
  });
});
