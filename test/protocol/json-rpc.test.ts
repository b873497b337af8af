import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/errors/connection.ts";
import { parseMessage } from "../../src/protocol/json-rpc.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("parseMessage", () => {
  it.each([
    [
      "a request",
      '{"id":1,"method":"m","params":{"a":1}}',
      { type: "request", id: 1, method: "m", params: { a: 1 } },
    ],
    ["a request with a string id", '{"id":"x","method":"m"}', { type: "request", id: "x", method: "m" }],
    ["a notification", '{"method":"m","params":[1]}', { type: "notification", method: "m", params: [1] }],
    ["a notification with a null id", '{"id":null,"method":"m"}', { type: "notification", method: "m" }],
    ["a result", '{"id":1,"result":{"a":1}}', { type: "result", id: 1, result: { a: 1 } }],
    ["a result that is null", '{"id":0,"result":null}', { type: "result", id: 0, result: null }],
    [
      "an error",
      '{"id":1,"error":{"code":-32602,"message":"m","data":7}}',
      { type: "error", id: 1, error: { code: -32602, message: "m", data: 7 } },
    ],
    ["a response with neither result nor error", '{"id":1}', { type: "malformed-response", id: 1 }],
    [
      "a response with a malformed error",
      '{"id":1,"error":{"code":"1"}}',
      { type: "malformed-response", id: 1 },
    ],
    ["a response whose error is null", '{"id":1,"error":null}', { type: "malformed-response", id: 1 }],
    [
      "an error with the id -1",
      '{"error":{"code":-32600,"message":"m"},"id":-1}',
      {
        type: "error",
        id: -1,
      },
    ],
  ])("recognises %s by its members", (_, frame, expected) => {
    expect(parseMessage(frame)).toMatchObject(expected);
    expect(parseMessage(bytesOf(frame))).toEqual(parseMessage(frame));
  });

  it("ignores a jsonrpc member and unknown members", () => {
    expect(parseMessage('{"jsonrpc":"2.0","id":1,"result":2,"trace":{}}')).toEqual({
      type: "result",
      id: 1,
      result: 2,
    });
  });

  it.each([
    ["an empty frame", ""],
    ["text that is not JSON", "Listening on ws://127.0.0.1:1"],
    ["truncated JSON", '{"id":1,'],
    ["two messages in one frame", '{"id":1,"result":1}{"id":2,"result":2}'],
    ["a batch", '[{"id":1,"result":1}]'],
    ["an empty batch", "[]"],
    ["a string", '"text"'],
    ["a number", "1"],
    ["null", "null"],
    ["an empty object", "{}"],
    ["a response without an id", '{"result":1}'],
    ["a response with a null id", '{"id":null,"result":1}'],
    ["an id of a wrong type", '{"id":{},"result":1}'],
    ["a boolean id", '{"id":true,"method":"m"}'],
    ["a method of a wrong type", '{"id":1,"method":5}'],
  ])("refuses %s", (_, frame) => {
    expect(() => parseMessage(frame)).toThrow(ProtocolError);
    expect(() => parseMessage(bytesOf(frame))).toThrow(ProtocolError);
  });

  it("quotes no part of a refused frame", () => {
    for (const frame of ["S3CRET", '{"S3CRET":', '["S3CRET"]', '{"params":"S3CRET"}']) {
      const error = caught(() => parseMessage(frame));
      expect(JSON.stringify([String(error), error.cause])).not.toContain("S3CRET");
    }
  });

  it("throws only a ProtocolError, for any frame", () => {
    const member = fc.oneof(fc.jsonValue(), fc.constantFrom("m", 1, -1, null, {}));
    const nearlyMessage = fc.record(
      { id: member, method: member, params: member, result: member, error: member },
      { requiredKeys: [] },
    );
    const frame = fc.oneof(
      fc.string(),
      fc.uint8Array(),
      fc.json(),
      nearlyMessage.map((m) => JSON.stringify(m)),
    );
    fc.assert(
      fc.property(frame, (anything) => {
        try {
          expect(parseMessage(anything).type).toBeTypeOf("string");
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("refuses bytes that are not UTF-8, and parses the next frame", () => {
    for (const invalid of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
      const frame = new Uint8Array([...bytesOf('{"method":"'), ...invalid, ...bytesOf('"}')]);
      expect(() => parseMessage(frame)).toThrow(ProtocolError);
      expect(parseMessage(bytesOf('{"method":"é😀"}'))).toMatchObject({ method: "é😀" });
    }
  });

  it("parses a very deeply nested message", () => {
    const depth = 100_000;
    const deep = "[".repeat(depth) + "]".repeat(depth);
    expect(() => parseMessage(deep)).toThrow(ProtocolError);
    expect(() => parseMessage("[".repeat(depth))).toThrow(ProtocolError);
    expect(parseMessage(`{"method":"m","params":${deep}}`).type).toBe("notification");
    expect(parseMessage(`{"id":1,"result":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`).type).toBe(
      "result",
    );
  });

  it("treats __proto__ and constructor as ordinary names", () => {
    const message = parseMessage(
      '{"method":"m","params":{"__proto__":{"polluted":1},"constructor":{"prototype":2},"env":{"__proto__":"x"}}}',
    ) as { params: Record<string, unknown> };
    expect(Object.keys(message.params)).toEqual(["__proto__", "constructor", "env"]);
    expect(Object.getPrototypeOf(message.params)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("reads only own members of the message, not those of __proto__", () => {
    expect(() => parseMessage('{"__proto__":{"method":"m"}}')).toThrow(ProtocolError);
    expect(parseMessage('{"id":1,"__proto__":{"result":1}}').type).toBe("malformed-response");
  });
});

function caught(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  return expect.fail("nothing was thrown");
}
