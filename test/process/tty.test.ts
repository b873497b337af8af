import { describe, expect, it } from "vitest";
import { checkSize, resizeTerminal } from "../../src/process/tty.ts";

describe("checkSize", () => {
  it.each([
    { rows: 1, cols: 1 },
    { rows: 65_535, cols: 65_535 },
  ])("accepts %o", (size) => {
    expect(checkSize(size)).toBe(size);
  });

  it.each([0, -1, 1.5, 65_536, Number.NaN, Number.POSITIVE_INFINITY, "24", null, undefined])(
    "refuses %o",
    (count) => {
      for (const size of [
        { rows: count, cols: 80 },
        { rows: 24, cols: count },
      ]) {
        expect(() => checkSize(size as never)).toThrow(
          expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
        );
      }
    },
  );
});

it("names the option whose size is wrong", () => {
  const check = (): unknown => checkSize({ rows: 0, cols: 80 }, "tty.");
  expect(check).toThrow("tty.rows must be an integer from 1 to 65535, got 0");
});

describe("checkSize of no object", () => {
  it.each([undefined, null, 24, "24x80"])("refuses %o", (size) => {
    expect(() => checkSize(size as never)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
  });
});

describe("resizeTerminal", () => {
  it("passes the device to the shell as an argument, never as a part of the script", () => {
    const device = "/dev/pts/1; touch /tmp/x";
    const command = resizeTerminal(device, { rows: 24, cols: 80 });
    expect(command.at(-1)).toBe(device);
    expect(command[2]).not.toContain("touch");
  });
});
