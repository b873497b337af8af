import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { ExecServerClient } from "../../src/index.ts";
import { readLines } from "../../src/node/stderr.ts";
import { type StdioOptions, stdio } from "../../src/node.ts";
import { fixture } from "../support/control-server.ts";
import { failureOf } from "../support/failure.ts";

const node = process.execPath;

async function linesOf(...pieces: (string | Uint8Array)[]): Promise<string[]> {
  const log = new PassThrough();
  const lines: string[] = [];
  readLines(log, (line) => lines.push(line));
  for (const piece of pieces) log.write(piece);
  log.end();
  await finished(log);
  return lines;
}

describe("the log of the child", () => {
  const throwing = (): void => {
    throw new Error("thrown by the callback");
  };

  test.each<[string, StdioOptions["stderr"]]>([
    ["the default", undefined],
    ["ignore", "ignore"],
    ["a callback", () => {}],
    ["a callback that throws", throwing],
  ])("does not block the child at 1 MiB with stderr: %s", async (_, stderr) => {
    const transport = stdio({ command: node, args: [fixture("floods-stderr")], stderr });
    await using client = await ExecServerClient.connect({ transport });
    expect(client.sessionId).toBe("floods-stderr");
  });

  test("is mentioned in the error of a child that has exited, if its log was not read", async () => {
    const ending = (stderr?: StdioOptions["stderr"], code = 3) =>
      failureOf(
        ExecServerClient.connect({
          transport: stdio({
            command: node,
            args: ["-e", `process.stdin.once("data", () => process.exit(${code}))`, "--", "stdio"],
            stderr,
          }),
        }),
      );
    const [unread, read, old] = await Promise.all([ending(), ending(() => {}), ending(() => {}, 1)]);
    expect(String(old)).toMatch(/code 1 before it answered: servers before 0.130 have no stdio$/);
    expect(String(unread)).toContain('ended with code 3 (stderr: "inherit" shows its log)');
    expect(String(read)).toMatch(/ended with code 3$/);
  });

  test("is read to its end when the child exits", async () => {
    const lines: string[] = [];
    const transport = stdio({
      command: node,
      args: [fixture("logs-and-exits")],
      stderr: (line) => lines.push(line),
    });
    await failureOf(ExecServerClient.connect({ transport }));
    expect(lines.at(-1)).toBe("fatal: no such option");
  });

  test("is passed to the callback line by line, without line endings and blank lines", async () => {
    expect(await linesOf("one\ntw", "o\r\n\n", "three\r", "\nfour")).toEqual(["one", "two", "three", "four"]);
  });

  test("keeps a character whole that is split over reads", async () => {
    const euro = Buffer.from("€\n");
    expect(await linesOf(euro.subarray(0, 1), euro.subarray(1))).toEqual(["€"]);
  });

  test("is cut at 8 KiB per line", async () => {
    const long = "x".repeat(20_000);
    const lines = await linesOf(long, `${long}\n`, `${long}\nshort\n`);
    expect(lines.map((line) => line.length)).toEqual([8192, 8192, 5]);
  });

  test("is read further after the callback has thrown", async () => {
    const log = new PassThrough();
    const lines: string[] = [];
    readLines(log, (line) => {
      lines.push(line);
      throwing();
    });
    log.end("one\ntwo\n");
    await finished(log);
    expect(lines).toEqual(["one", "two"]);
  });
});
