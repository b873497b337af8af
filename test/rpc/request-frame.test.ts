import { describe, expect, it } from "vitest";
import { requestFrame } from "../../src/rpc/request-frame.ts";

const MIB = 1024 * 1024;
const LIMIT = 15 * MIB;

const frameOf = (params: unknown, bytes?: Uint8Array) =>
  requestFrame(
    7,
    { method: "x", params, payload: bytes && { name: "chunk", bytes } },
    undefined,
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
  const traced = requestFrame(7, { method: "x", params: null, payload: undefined }, trace, undefined);
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
});
