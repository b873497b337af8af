import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../src/internal/base64.ts";
import { decodeFrame } from "../../src/protocol/codec.ts";
import { blockForm } from "../../src/protocol/filesystem.ts";
import { bodyDeltaForm } from "../../src/protocol/http.ts";
import { type IncomingMessage, parseMessage } from "../../src/protocol/json-rpc.ts";
import { decodePayload, type PayloadForm } from "../../src/protocol/payload.ts";
import { outputForm } from "../../src/protocol/process.ts";

interface Case {
  readonly form: PayloadForm;
  /** The member that holds the bytes. */
  readonly member: string;
  /** A frame as the server writes it. */
  readonly frame: fc.Arbitrary<string>;
}

const id = fc.nat({ max: 1e15 - 1 });
const base64 = fc.uint8Array({ maxLength: 400 }).map((bytes) => encodeBase64(bytes));

const CASES: Readonly<Record<string, Case>> = {
  "process/output": {
    form: outputForm,
    member: "chunk",
    frame: fc
      .record({
        processId: fc.stringMatching(/^[ -~]{0,60}$/),
        seq: id,
        stream: fc.constantFrom("stdout", "stderr", "pty"),
        chunk: base64,
      })
      .map((params) => JSON.stringify({ method: "process/output", params })),
  },
  "the response to fs/readBlock": {
    form: blockForm,
    member: "chunk",
    frame: fc
      .record({ id, chunk: base64, eof: fc.boolean() })
      .map(({ id, ...result }) => JSON.stringify({ id, result })),
  },
  "http/request/bodyDelta": {
    form: bodyDeltaForm,
    member: "deltaBase64",
    frame: fc
      .record({
        requestId: fc.stringMatching(/^[ -~]{0,60}$/),
        seq: id,
        deltaBase64: base64,
        done: fc.boolean(),
      })
      .map((params) =>
        JSON.stringify({ method: "http/request/bodyDelta", params: { ...params, error: null } }),
      ),
  },
};

/** Damages a frame a little: cuts a part out, inserts one, repeats a member, or writes a character differently. */
const damaged = (frame: fc.Arbitrary<string>): fc.Arbitrary<string> =>
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

/** The message as the JSON parser reads it, with its base64 decoded. */
function parsedMessage(text: string, member: string): IncomingMessage {
  const message = parseMessage(text);
  if (message.type !== "notification" && message.type !== "result") return message;
  const name = message.type === "result" ? "result" : "params";
  const holder = (message as unknown as Record<string, Record<string, unknown>>)[name];
  return { ...message, [name]: { ...holder, [member]: decodeBase64(holder?.[member] as string) } };
}

/** A payload that is decoded from the frame equals the parsed one. */
function expectAgreement({ form, member }: Case, text: string, frame: string | Uint8Array): void {
  const message = decodePayload(frame, [form]);
  if (message) expect(message).toEqual(parsedMessage(text, member));
}

describe.each(Object.entries(CASES))("%s", (_, testCase) => {
  it("is decoded from its frame, as text and as bytes, if it contains no escape", () => {
    fc.assert(
      fc.property(testCase.frame, (text) => {
        for (const frame of [text, new TextEncoder().encode(text)]) {
          expectAgreement(testCase, text, frame);
          const isPlain = !/\\/.test(text);
          expect(decodePayload(frame, [testCase.form]) !== undefined).toBe(isPlain);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is never decoded differently from the JSON parser, however the frame is damaged", () => {
    const frames = fc.oneof(damaged(testCase.frame), damaged(damaged(testCase.frame)));
    fc.assert(
      fc.property(frames, (text) => {
        expectAgreement(testCase, text, text);
        const bytes = new TextEncoder().encode(text);
        expectAgreement(testCase, new TextDecoder().decode(bytes), bytes);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("decodeFrame", () => {
  const output = (chunk: string): string =>
    JSON.stringify({ method: "process/output", params: { processId: "p", seq: 1, stream: "pty", chunk } });

  it("decodes the bytes of a frame of at least 96 characters, and leaves base64 in a shorter one", () => {
    const short = output("AAAA");
    expect(short.length).toBeLessThan(96);
    expect(decodeFrame(short)).toMatchObject({ params: { chunk: "AAAA" } });
    const long = output("AAAA".repeat(10));
    expect(long.length).toBeGreaterThanOrEqual(96);
    expect(decodeFrame(long)).toMatchObject({ params: { chunk: new Uint8Array(30) } });
  });

  it.each(Object.entries(CASES))("knows the form of %s", (_, { frame, member }) => {
    fc.assert(
      fc.property(frame, (text) => {
        if (text.length < 96 || text.includes("\\")) return;
        expect(decodeFrame(text)).toEqual(parsedMessage(text, member));
      }),
    );
  });

  it("parses every other frame, and throws a ProtocolError for one that is no message", () => {
    const other = JSON.stringify({ method: "x", params: { a: "b".repeat(100) } });
    expect(decodeFrame(other)).toEqual(parseMessage(other));
    expect(() => decodeFrame("x".repeat(100))).toThrow(expect.objectContaining({ code: "ERR_PROTOCOL" }));
  });
});
