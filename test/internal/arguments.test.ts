import { describe, expect, it } from "vitest";
import { invalid, received } from "../../src/internal/arguments.ts";

it("invalid() throws a UsageError with the given message and details", () => {
  expect(() => invalid("cwd must be absolute", { delivery: "not-sent" })).toThrow(
    expect.objectContaining({
      code: "ERR_INVALID_ARGUMENT",
      message: "cwd must be absolute",
      delivery: "not-sent",
    }),
  );
});

describe("received", () => {
  it.each([
    [undefined, "undefined"],
    [null, "null"],
    [3.5, "3.5"],
    [Number.NaN, "NaN"],
    [true, "true"],
    ["", "an empty string"],
    ["secret", "a string"],
    [[], "an empty array"],
    [["secret"], "an array"],
    [{ secret: 1 }, "an object"],
    [() => {}, "a function"],
    [1n, "a bigint"],
    [Symbol("secret"), "a symbol"],
  ])("describes %s without quoting a string", (value, text) => {
    expect(received(value)).toBe(text);
  });
});
