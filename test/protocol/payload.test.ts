import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../src/internal/base64.ts";
import { blockForm } from "../../src/protocol/filesystem.ts";
import { type PayloadForm, readPayload } from "../../src/protocol/payload.ts";
import { outputForm } from "../../src/protocol/process.ts";

interface Case {
  readonly form: PayloadForm;
  /** A frame as the server writes it. */
  readonly frame: fc.Arbitrary<string>;
  /** What the variable parts are, and where a JSON parser finds the bytes. */
  readonly fields: (message: unknown) => { readonly parts: readonly unknown[]; readonly base64: unknown };
}

const id = fc.nat({ max: 1e15 - 1 });
const base64 = fc.uint8Array({ maxLength: 400 }).map((bytes) => encodeBase64(bytes));

const CASES: Readonly<Record<string, Case>> = {
  "process/output": {
    form: outputForm,
    frame: fc
      .record({
        processId: fc.stringMatching(/^[ -~]{0,60}$/),
        seq: id,
        stream: fc.constantFrom("stdout", "stderr", "pty"),
        chunk: base64,
      })
      .map((params) => JSON.stringify({ method: "process/output", params })),
    fields(message) {
      const { method, params } = message as { method: unknown; params: Record<string, unknown> };
      expect(method).toBe("process/output");
      expect(Object.keys(params)).toEqual(["processId", "seq", "stream", "chunk"]);
      return { parts: [params["processId"], params["seq"], params["stream"]], base64: params["chunk"] };
    },
  },
  "the answer to fs/readBlock": {
    form: blockForm,
    frame: fc
      .record({ id, chunk: base64, eof: fc.boolean() })
      .map(({ id, ...result }) => JSON.stringify({ id, result })),
    fields(message) {
      const { id, result } = message as { id: unknown; result: Record<string, unknown> };
      expect(Object.keys(message as object)).toEqual(["id", "result"]);
      return { parts: [id, result["eof"]], base64: result["chunk"] };
    },
  },
};

/** Spoils a frame a little: something is cut out, put in, said twice or written otherwise. */
const spoiled = (frame: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      frame,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat({ max: 6 }),
      fc.constantFrom(
        "",
        '"',
        "\\",
        "=",
        "A",
        "-",
        "_",
        " ",
        "\n",
        ",",
        "}",
        "1",
        "e1",
        "\u0000",
        "é",
        "\u2028",
        "\\u0041",
        '"x":1,',
      ),
    )
    .map(([text, where, cut, inserted]) => {
      const at = Math.floor(where * text.length);
      return text.slice(0, at) + inserted + text.slice(at + cut);
    });

/** What is read off a frame must be what a JSON parser makes of it. */
function mustAgree({ form, fields }: Case, text: string, frame: string | Uint8Array): void {
  const payload = readPayload(frame, form);
  if (!payload) return;
  const { parts, base64: encoded } = fields(JSON.parse(text));
  expect([...payload.head.slice(1), ...payload.tail.slice(1)]).toEqual(parts.map(String));
  expect(payload.bytes).toEqual(decodeBase64(encoded as string));
}

describe.each(Object.entries(CASES))("%s", (_, testCase) => {
  it("is read off its frame, as text and as bytes, if nothing in it needs a parser", () => {
    fc.assert(
      fc.property(testCase.frame, (text) => {
        for (const frame of [text, new TextEncoder().encode(text)]) {
          mustAgree(testCase, text, frame);
          const isPlain = !/\\/.test(text);
          expect(readPayload(frame, testCase.form) !== undefined).toBe(isPlain);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is never read otherwise than a JSON parser would, however the frame is spoiled", () => {
    const frames = fc.oneof(spoiled(testCase.frame), spoiled(spoiled(testCase.frame)));
    fc.assert(
      fc.property(frames, (text) => {
        mustAgree(testCase, text, text);
        const bytes = new TextEncoder().encode(text);
        mustAgree(testCase, new TextDecoder().decode(bytes), bytes);
      }),
      { numRuns: 5_000 },
    );
  });
});
