import { describe, expect, it } from "vitest";
import { requestFrame } from "../../src/rpc/request-frame.ts";

const MIB = 1024 * 1024;
const LIMIT = 15 * MIB;

const frameOf = (params: unknown, bytes?: Uint8Array) =>
  requestFrame(
    7,
    { method: "x", params, trace: undefined, payload: bytes && { name: "chunk", bytes } },
    "session-1",
  );

/** Params with which a frame has this many bytes. */
const paramsOf = (length: number, text = "a"): string => {
  const rest = length - (frameOf("") as string).length;
  return text.repeat(rest / Buffer.byteLength(text));
};

it("has id, method and params, and no member that is undefined", () => {
  expect(JSON.parse(frameOf({ a: 1 }) as string)).toEqual({ id: 7, method: "x", params: { a: 1 } });
  const trace = { traceparent: "00-1-2-01" };
  const traced = requestFrame(7, { method: "x", params: null, trace, payload: undefined }, undefined);
  expect(JSON.parse(traced as string)).toEqual({ id: 7, method: "x", trace, params: null });
});

it("adds bytes as the last member of the params", () => {
  const bytes = new Uint8Array([1, 2]);
  const frame = frameOf({ handleId: "h" }, bytes);
  expect(frame).toMatchObject({ bytes });
  const { head, tail } = frame as { head: string; tail: string };
  expect(JSON.parse(`${head}AQI=${tail}`)).toEqual({
    id: 7,
    method: "x",
    params: { handleId: "h", chunk: "AQI=" },
  });
});

describe("a request", () => {
  it("can be exactly 15 MiB, and not one byte more", () => {
    expect(frameOf(paramsOf(LIMIT))).toHaveLength(LIMIT);
    expect(() => frameOf(`${paramsOf(LIMIT)}a`)).toThrow(
      expect.objectContaining({
        code: "ERR_TOO_LARGE",
        message: "A x request must stay below 15728640 bytes",
        sessionId: "session-1",
        delivery: "not-sent",
      }),
    );
  });

  it("is measured in bytes, not in characters", () => {
    expect(() => frameOf(paramsOf(LIMIT + 2, "ä"))).toThrow(
      expect.objectContaining({ code: "ERR_TOO_LARGE" }),
    );
  });

  it("is measured with its payload as base64", () => {
    const bytes = new Uint8Array(9 * MIB);
    const params = { text: paramsOf(LIMIT - 12 * MIB - 100) };
    expect((frameOf(params, bytes) as { bytes: unknown }).bytes).toBe(bytes);
    expect(() => frameOf({ text: `${params.text}${"a".repeat(100)}` }, bytes)).toThrow(
      expect.objectContaining({ code: "ERR_TOO_LARGE" }),
    );
  });

  it("that can't be written as JSON is rejected without showing its params", () => {
    expect(() => frameOf({ secret: 1n })).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ARGUMENT",
        message: "The params of x can't be written as JSON",
        sessionId: "session-1",
        delivery: "not-sent",
      }),
    );
  });

  it.each([
    [{ argv: ["a", "😀".slice(0, 1)] }, "argv[1]"],
    [{ env: { A: "\ud83d" } }, "env.A"],
    [{ env: { "\ud83d": "a" } }, "a name in env"],
    [{ "\udc00": 1 }, "a name in the params"],
    [{ nothing: null, absent: undefined, count: 1, is: true, last: "\ud83d" }, "last"],
    ["\ud83d", "the params"],
    [{ toJSON: () => ["\ud83d"] }, "the params"],
  ])("with half of a surrogate pair is refused, and names where: %j", (params, where) => {
    expect(() => frameOf(params)).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ARGUMENT",
        message: `${where} of x must be well-formed text, got half of a surrogate pair`,
        delivery: "not-sent",
      }),
    );
  });

  const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));

  it("may nest 127 levels, and not one more", () => {
    expect(frameOf(nested(126))).toBeTypeOf("string");
    expect(() => frameOf(nested(127))).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ARGUMENT",
        message: "A x request must nest at most 127 levels, got 128",
      }),
    );
  });

  it("may hold 262,144 values, and not one more", () => {
    const params = (count: number): unknown => ({ a: Array(count).fill(0) });
    expect(frameOf(params(262_139))).toBeTypeOf("string");
    expect(() => frameOf(params(262_140))).toThrow(
      expect.objectContaining({
        code: "ERR_TOO_LARGE",
        message: "A x request must hold at most 262144 values, got 262145",
      }),
    );
  });

  it("that is longer than a string can be is too large", () => {
    const half = "a".repeat(300 * MIB);
    const message = "The params of x are too large for JSON";
    expect(() => frameOf([half, half])).toThrow(expect.objectContaining({ code: "ERR_TOO_LARGE", message }));
  });
});
