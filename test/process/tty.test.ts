import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { checkSize, resizeTerminal, startInTerminal, TerminalPrelude } from "../../src/process/tty.ts";

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

describe("TerminalPrelude", () => {
  function setUp() {
    const onLine = vi.fn();
    const prelude = new TerminalPrelude(onLine);
    const strip = (text: string): string => Buffer.from(prelude.strip(bytesOf(text))).toString();
    return { prelude, onLine, strip };
  }

  it.each([
    ["/dev/pts/3\r\n", { device: "/dev/pts/3" }],
    ["/dev/ttys001\n", { device: "/dev/ttys001" }],
    ["missing\r\n", "missing-program"],
    ["not a tty\n", "unknown"],
    ["/dev/pts/3 /etc/passwd\n", "unknown"],
    ["/tmp/x\n", "unknown"],
    ["\n", "unknown"],
  ])("parses the first line %j as %o", (line, start) => {
    const { onLine, strip } = setUp();
    expect(strip(`${line}out`)).toBe("out");
    expect(onLine).toHaveBeenCalledExactlyOnceWith(start);
  });

  it("removes exactly the first line, however the output is split", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.array(fc.nat()), (rest, cuts) => {
        const { prelude, onLine } = setUp();
        const all = bytesOf(`/dev/pts/é\r\n${rest}`);
        const edges = [0, ...cuts.map((at) => at % (all.length + 1)).sort((a, b) => a - b), all.length];
        const left = edges.slice(1).map((edge, i) => prelude.strip(all.subarray(edges[i], edge)));
        expect(Buffer.concat(left).toString("hex")).toBe(Buffer.from(bytesOf(rest)).toString("hex"));
        expect(onLine).toHaveBeenCalledExactlyOnceWith({ device: "/dev/pts/é" });
      }),
    );
  });

  it("reports once, when the line is complete, and passes all other output", () => {
    const { prelude, onLine, strip } = setUp();
    expect(strip("/dev/pts/")).toBe("");
    expect(onLine).not.toHaveBeenCalled();
    expect(strip("1\na\nb")).toBe("a\nb");
    expect(strip("missing\n")).toBe("missing\n");
    prelude.end();
    expect(onLine).toHaveBeenCalledExactlyOnceWith({ device: "/dev/pts/1" });
  });

  it("reports an incomplete line at the end of the output", () => {
    const empty = setUp();
    empty.prelude.end();
    empty.prelude.end();
    expect(empty.onLine).toHaveBeenCalledExactlyOnceWith("unknown");
    const cut = setUp();
    cut.strip("missing");
    cut.prelude.end();
    expect(cut.onLine).toHaveBeenCalledExactlyOnceWith("missing-program");
  });
});

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

// The scripts require a POSIX shell. Their effect on a terminal is tested on a real server.
describe.runIf(process.platform !== "win32")("the command that starts a program in a terminal", () => {
  const run = ([program = "", ...args]: string[]): string =>
    execFileSync(program, args, { encoding: "utf8", input: "" });
  const size = { rows: 24, cols: 80 };

  it("prints one line and then executes the program with unchanged arguments", () => {
    const args = ["a b", "", "$HOME", "`id`", '"', "'", "*", "-n", "é\n"];
    const output = run(startInTerminal(["/usr/bin/printf", "<%s>", ...args], size));
    const [line = "", ...rest] = output.split("\n");
    expect(line).toBe("not a tty");
    expect(rest.join("\n")).toBe(args.map((arg) => `<${arg}>`).join(""));
  });

  it("reports a missing program in that line", () => {
    const command = startInTerminal(["/no/such program"], size);
    expect(() => run(command)).toThrow(expect.objectContaining({ status: 127, stdout: "missing\n" }));
  });

  it("passes the device to the shell as an argument, never as a part of the script", () => {
    const device = "/dev/pts/1; touch /tmp/x";
    const command = resizeTerminal(device, size);
    expect(command.at(-1)).toBe(device);
    expect(command[2]).not.toContain("touch");
  });
});
