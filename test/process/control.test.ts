import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExecProcess } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { scriptedProcess, startsProcesses } from "../support/scripted-process.ts";
import { QuietServer } from "../support/scripted-server.ts";

let real: Awaited<ReturnType<typeof realClient>>;
beforeAll(async () => {
  real = await realClient();
});
afterAll(() => real[Symbol.asyncDispose]());

/** Returns a function that reads the output until it contains a text, and returns the output up to there. */
function outputReader(process: ExecProcess): (wanted: string) => Promise<string> {
  const pieces = process[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let output = "";
  return async (wanted) => {
    while (!output.includes(wanted)) {
      const { value, done } = await pieces.next();
      if (done) throw new Error(`expected ${wanted} in the output, got: ${output}`);
      output += decoder.decode(value.chunk, { stream: true });
    }
    const end = output.indexOf(wanted) + wanted.length;
    const read = output.slice(0, end);
    output = output.slice(end);
    return read;
  };
}

describe("terminate()", () => {
  it("ends the process and reports whether it was still running", async () => {
    const process = await real.client.start(["sleep", "60"]);
    expect(await process.terminate()).toEqual({ running: true });
    await process.closed;
    expect(await process.terminate()).toEqual({ running: false });
  });

  it("is called at the end of `await using`", async () => {
    let closed: Promise<unknown>;
    {
      await using process = await real.client.start(["sleep", "60"]);
      closed = process.closed;
    }
    await closed;
  });

  it("sends no request for a closed process, whose id may be in use again", async () => {
    await using scripted = await scriptedProcess();
    scripted.exited(1);
    scripted.closed(2);
    await scripted.process.closed;
    expect(await scripted.process.terminate()).toEqual({ running: false });
    expect(scripted.server.requests("process/terminate")).toEqual([]);
  });

  it("is sent while 128 requests are pending", async () => {
    await using scripted = await scriptedProcess();
    const waiting = Array.from({ length: 200 }, () => failureOf(scripted.client.status()));
    const terminated = scripted.process.terminate();
    const request = await scripted.connection.request("process/terminate");
    scripted.connection.answer(request, { running: true });
    expect(await terminated).toEqual({ running: true });
    scripted.connection.drop();
    await Promise.all(waiting);
  });
});

describe("interrupt()", () => {
  it("runs the SIGINT handler of the program", async () => {
    const script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done";
    const process = await real.client.start(["bash", "-c", script]);
    const readUntil = outputReader(process);
    await readUntil("ready");
    await process.interrupt();
    await readUntil("caught");
    expect(await process.closed).toMatchObject({ exitCode: 9 });
    await process.interrupt();
  });

  it("is Ctrl-C in a terminal", async () => {
    const process = await real.client.start(["sleep", "60"], { tty: true });
    await process.interrupt();
    expect((await process.closed).exitCode).not.toBe(0);
  });
});

describe("a terminal", () => {
  it("has the requested size, shows only the program's output, and can be resized", async () => {
    const script =
      "stty size; trap 'echo resized; stty size' WINCH; echo ready; while :; do sleep 0.05; done";
    await using process = await real.client.start(["bash", "-c", script], { tty: { rows: 30, cols: 99 } });
    const readUntil = outputReader(process);
    expect(await readUntil("ready\r\n")).toBe("30 99\r\nready\r\n");
    await process.resize({ rows: 11, cols: 22 });
    expect(await readUntil("11 22\r\n")).toBe("resized\r\n11 22\r\n");
  });

  it("has 24 rows and 80 columns by default, accepts input and reports output on stdout", async () => {
    await using process = await real.client.start(["bash", "-c", "stty size; read line; echo got $line"], {
      tty: true,
    });
    await process.write("hi\n");
    const text = await new Response(process.stdout).text();
    expect(text).toContain("24 80");
    expect(text).toContain("got hi");
  });

  it("applies resizes in order", async () => {
    await using process = await real.client.start(["cat"], { tty: true });
    await Promise.all([1, 2, 3, 4, 5].map((n) => process.resize({ rows: n, cols: n * 10 })));
    await process.resize({ rows: 7, cols: 70 });
  });

  it("passes arguments unchanged", async () => {
    const { stdout } = await real.client.run(["printf", "%s|", "a b", "$HOME", "", "'\""], { tty: true });
    expect(stdout).toBe("a b|$HOME||'\"|");
  });

  it("settles all promises of a program that exits at once", async () => {
    const process = await real.client.start(["true"], { tty: true });
    expect(await process.closed).toMatchObject({ exitCode: 0 });
    expect(await failureOf(process.resize({ rows: 1, cols: 1 }))).toMatchObject({ code: "ERR_UNSUPPORTED" });
  });

  it("refuses arg0, because the server would run the program of that name", async () => {
    expect(await failureOf(real.client.start(["bash"], { tty: true, arg0: "posh" }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
  });
});

describe("resize()", () => {
  it("rejects with ERR_UNSUPPORTED without a terminal", async () => {
    await using process = await real.client.start(["cat"], { stdin: "pipe" });
    expect(await failureOf(process.resize({ rows: 10, cols: 10 }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
  });

  it("refuses an invalid size", async () => {
    await using process = await real.client.start(["cat"], { tty: true });
    for (const size of [
      { rows: 0, cols: 1 },
      { rows: 1.5, cols: 1 },
      { rows: 1, cols: 70_000 },
    ]) {
      expect(await failureOf(process.resize(size))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    }
  });

  it("rejects with ERR_UNSUPPORTED on Windows, like a size at the start", async () => {
    const environmentInfo = { cwd: "file:///C:/", platformOs: "windows" };
    const server = startsProcesses(new QuietServer({ environmentInfo }));
    await using scripted = await scriptedProcess({ tty: true }, server);
    expect(await failureOf(scripted.process.resize({ rows: 1, cols: 1 }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
    expect(await failureOf(scripted.client.start(["x"], { tty: { rows: 1, cols: 1 } }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
    expect((await scripted.connection.request("process/start")).params).toMatchObject({
      argv: ["program"],
      tty: true,
    });
  });
});
