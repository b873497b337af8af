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

/** Reads until the text has been said. */
function listener(process: ExecProcess): (wanted: string) => Promise<string> {
  const pieces = process[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let said = "";
  return async (wanted) => {
    while (!said.includes(wanted)) {
      const { value, done } = await pieces.next();
      if (done) throw new Error(`the process ended without saying ${wanted}, but: ${said}`);
      said += decoder.decode(value.chunk, { stream: true });
    }
    const until = said.indexOf(wanted) + wanted.length;
    const before = said.slice(0, until);
    said = said.slice(until);
    return before;
  };
}

describe("terminate()", () => {
  it("ends the process, and says whether it still ran", async () => {
    const process = await real.client.start(["sleep", "60"]);
    expect(await process.terminate()).toEqual({ running: true });
    await process.closed;
    expect(await process.terminate()).toEqual({ running: false });
  });

  it("is what `await using` does", async () => {
    let closed: Promise<unknown>;
    {
      await using process = await real.client.start(["sleep", "60"]);
      closed = process.closed;
    }
    await closed;
  });

  it("does not ask the server about a closed process, whose id may be in use again", async () => {
    await using it = await scriptedProcess();
    it.exited(1);
    it.closed(2);
    await it.process.closed;
    expect(await it.process.terminate()).toEqual({ running: false });
    expect(it.server.requests("process/terminate")).toEqual([]);
  });

  it("passes by 128 requests that wait for an answer", async () => {
    await using it = await scriptedProcess();
    const waiting = Array.from({ length: 200 }, () => failureOf(it.client.status()));
    const terminated = it.process.terminate();
    const request = await it.connection.request("process/terminate");
    it.connection.answer(request, { running: true });
    expect(await terminated).toEqual({ running: true });
    it.connection.drop();
    await Promise.all(waiting);
  });
});

describe("interrupt()", () => {
  it("runs the handler of a program that has one", async () => {
    const script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done";
    const process = await real.client.start(["bash", "-c", script]);
    const hear = listener(process);
    await hear("ready");
    await process.interrupt();
    await hear("caught");
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
  it("has the size asked for, shows only what the program says, and can be resized", async () => {
    const script =
      "stty size; trap 'echo resized; stty size' WINCH; echo ready; while :; do sleep 0.05; done";
    await using process = await real.client.start(["bash", "-c", script], { tty: { rows: 30, cols: 99 } });
    const hear = listener(process);
    expect(await hear("ready\r\n")).toBe("30 99\r\nready\r\n");
    await process.resize({ rows: 11, cols: 22 });
    expect(await hear("11 22\r\n")).toBe("resized\r\n11 22\r\n");
  });

  it("is 24 by 80 unless told otherwise, takes input and reports as pty on stdout", async () => {
    await using process = await real.client.start(["bash", "-c", "stty size; read line; echo got $line"], {
      tty: true,
    });
    await process.write("hi\n");
    const text = await new Response(process.stdout).text();
    expect(text).toContain("24 80");
    expect(text).toContain("got hi");
  });

  it("keeps resizes in order", async () => {
    await using process = await real.client.start(["cat"], { tty: true });
    await Promise.all([1, 2, 3, 4, 5].map((n) => process.resize({ rows: n, cols: n * 10 })));
    await process.resize({ rows: 7, cols: 70 });
  });

  it("passes arguments through untouched", async () => {
    const { stdout } = await real.client.run(["printf", "%s|", "a b", "$HOME", "", "'\""], { tty: true });
    expect(stdout).toBe("a b|$HOME||'\"|");
  });

  it("that ends at once still settles everything", async () => {
    const process = await real.client.start(["true"], { tty: true });
    expect(await process.closed).toMatchObject({ exitCode: 0 });
    expect(await failureOf(process.resize({ rows: 1, cols: 1 }))).toMatchObject({ code: "ERR_UNSUPPORTED" });
  });

  it("can't be had with a name of one's own: the server would look for a program of that name", async () => {
    expect(await failureOf(real.client.start(["bash"], { tty: true, arg0: "posh" }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
  });
});

describe("resize()", () => {
  it("fails with ERR_UNSUPPORTED without a terminal", async () => {
    await using process = await real.client.start(["cat"], { stdin: "pipe" });
    expect(await failureOf(process.resize({ rows: 10, cols: 10 }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
  });

  it("refuses a size that is none", async () => {
    await using process = await real.client.start(["cat"], { tty: true });
    for (const size of [
      { rows: 0, cols: 1 },
      { rows: 1.5, cols: 1 },
      { rows: 1, cols: 70_000 },
    ]) {
      expect(await failureOf(process.resize(size))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    }
  });

  it("is not offered on Windows, nor is a size at the start", async () => {
    const environmentInfo = { cwd: "file:///C:/", platformOs: "windows" };
    const server = startsProcesses(new QuietServer({ environmentInfo }));
    await using it = await scriptedProcess({ tty: true }, server);
    expect(await failureOf(it.process.resize({ rows: 1, cols: 1 }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
    expect(await failureOf(it.client.start(["x"], { tty: { rows: 1, cols: 1 } }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
    expect((await it.connection.request("process/start")).params).toMatchObject({
      argv: ["program"],
      tty: true,
    });
  });
});
