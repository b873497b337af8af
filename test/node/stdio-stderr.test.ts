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

describe("the child's log", () => {
  const throwing = (): void => {
    throw new Error("not my day");
  };

  test.each<[string, StdioOptions["stderr"]]>([
    ["nobody wants", undefined],
    ["is ignored", "ignore"],
    ["goes to a callback", () => {}],
    ["goes to a callback that throws", throwing],
  ])("of 1 MiB disturbs nothing when it %s", async (_, stderr) => {
    const transport = stdio({ command: node, args: [fixture("chatty")], stderr });
    await using client = await ExecServerClient.connect({ transport });
    expect(client.sessionId).toBe("chatty");
  });

  test("is pointed at when a child has ended that nobody listened to", async () => {
    const ending = (stderr?: StdioOptions["stderr"]) =>
      failureOf(
        ExecServerClient.connect({
          transport: stdio({ command: node, args: ["-e", "process.exit(3)"], stderr }),
        }),
      );
    const [unheard, heard] = await Promise.all([ending(), ending(() => {})]);
    expect(String(unheard)).toContain('ended with code 3 (stderr: "inherit" shows its log)');
    expect(String(heard)).toMatch(/ended with code 3$/);
  });

  test("comes to its end, however suddenly the child ends", async () => {
    const lines: string[] = [];
    const transport = stdio({
      command: node,
      args: [fixture("last-words")],
      stderr: (line) => lines.push(line),
    });
    await failureOf(ExecServerClient.connect({ transport }));
    expect(lines.at(-1)).toBe("fatal: no such option");
  });

  test("is handed over line by line, without line ends and blank lines", async () => {
    expect(await linesOf("one\ntw", "o\r\n\n", "three\r", "\nfour")).toEqual(["one", "two", "three", "four"]);
  });

  test("keeps characters whole that the reads cut", async () => {
    const euro = Buffer.from("€\n");
    expect(await linesOf(euro.subarray(0, 1), euro.subarray(1))).toEqual(["€"]);
  });

  test("is cut at 8 KiB a line", async () => {
    const long = "x".repeat(20_000);
    const lines = await linesOf(long, `${long}\n`, `${long}\nshort\n`);
    expect(lines.map((line) => line.length)).toEqual([8192, 8192, 5]);
  });

  test("goes on after a callback that throws", async () => {
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
