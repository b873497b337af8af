import { describe, expect, it } from "vitest";
import { silence } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readAll } from "../support/read.ts";
import { scriptedProcess } from "../support/scripted-process.ts";
import { output, QuietServer } from "../support/scripted-server.ts";

describe("events of a process", () => {
  it("are delivered in sequence when they arrive backwards", async () => {
    await using it = await scriptedProcess();
    it.closed(4);
    it.exited(3, 7);
    it.output(2, "two");
    it.output(1, "one");
    expect(await readAll(it.process)).toEqual({ pieces: ["stdout:one", "stdout:two"], error: undefined });
    expect(await it.process.closed).toEqual({ exitCode: 7, sandboxDenied: false });
  });

  it("are delivered once when they arrive twice, and sequence 0 never", async () => {
    await using it = await scriptedProcess();
    it.output(0, "zero");
    it.output(2, "two");
    it.output(2, "again");
    it.output(1, "one");
    it.output(1, "again");
    it.exited(3);
    it.closed(4);
    expect((await readAll(it.process)).pieces).toEqual(["stdout:one", "stdout:two"]);
  });

  it("that come before the answer to the start are not lost", async () => {
    const server = new QuietServer();
    server.handle("process/start", (_, connection) => {
      output(connection, "p", 1, "early");
      connection.notify("process/exited", { processId: "p", seq: 2, exitCode: 0 });
      connection.notify("process/closed", { processId: "p", seq: 3 });
      return { processId: "p" };
    });
    await using it = await scriptedProcess(undefined, server);
    expect((await readAll(it.process)).pieces).toEqual(["stdout:early"]);
  });

  it("include output after the exit: a grandchild may hold the pipe", async () => {
    await using it = await scriptedProcess();
    it.exited(1, 0);
    expect(await it.process.exited).toEqual({ exitCode: 0, sandboxDenied: false });
    it.output(2, "grandchild");
    it.closed(3);
    expect(await readAll(it.process)).toEqual({ pieces: ["stdout:grandchild"], error: undefined });
  });

  it("wait for a gap to be filled, even the close", async () => {
    await using it = await scriptedProcess();
    it.exited(2);
    it.closed(3);
    const early = await Promise.race([
      it.process.closed,
      it.client.status({ timeoutMs: 20 }).catch(() => "waiting"),
    ]);
    expect(early).toBe("waiting");
    it.output(1, "filled");
    expect((await readAll(it.process)).pieces).toEqual(["stdout:filled"]);
    await it.process.closed;
  });

  it("pass exit codes on unchanged", async () => {
    for (const exitCode of [-1, -1073741819, 255]) {
      await using it = await scriptedProcess();
      it.exited(1, exitCode);
      expect((await it.process.exited).exitCode).toBe(exitCode);
    }
  });

  it("with 256 waiting for the first are all delivered when it comes", async () => {
    await using it = await scriptedProcess();
    for (let seq = 2; seq <= 257; seq++) it.output(seq, "x".repeat(4096));
    it.output(1, "first");
    it.exited(258);
    it.closed(259);
    const { pieces, error } = await readAll(it.process);
    expect(error).toBeUndefined();
    expect(pieces).toHaveLength(257);
  });

  it("with more waiting than that fail this process only", async () => {
    await using it = await scriptedProcess();
    const other = await it.client.start(["program"], { processId: "other" });
    for (let seq = 2; seq <= 258; seq++) it.output(seq, "x");
    expect(await failureOf(it.process.closed)).toMatchObject({ code: "ERR_PROTOCOL" });
    output(it.connection, "other", 1, "fine");
    it.connection.notify("process/exited", { processId: "other", seq: 2, exitCode: 0 });
    it.connection.notify("process/closed", { processId: "other", seq: 3 });
    expect((await readAll(other)).pieces).toEqual(["stdout:fine"]);
    expect(it.client.isDisconnected).toBe(false);
  });

  it.each([
    ["output without a sequence number", "process/output", { stream: "stdout", chunk: "" }],
    ["output whose bytes are not base64", "process/output", { seq: 2, stream: "stdout", chunk: "a?==" }],
    ["output of an unknown stream", "process/output", { seq: 2, stream: "stdnull", chunk: "" }],
    ["an exit without a code", "process/exited", { seq: 2 }],
    ["a close before any exit", "process/closed", { seq: 2 }],
  ])("fail this process only, after what had arrived, on %s", async (_, method, params) => {
    await using it = await scriptedProcess();
    it.output(1, "kept");
    it.connection.notify(method, { processId: "p", ...params });
    const { pieces, error } = await readAll(it.process);
    expect(pieces).toEqual(["stdout:kept"]);
    expect(error).toMatchObject({ code: "ERR_PROTOCOL" });
    expect(await failureOf(it.process.exited)).toBe(error);
    expect(it.client.isDisconnected).toBe(false);
  });

  it("of processes nobody knows are ignored, and so are late ones of a closed process", async () => {
    await using it = await scriptedProcess();
    output(it.connection, "stranger", 1, "boo");
    it.connection.notify("process/output", { processId: "stranger" });
    it.exited(1);
    it.closed(2);
    it.output(3, "late");
    expect((await readAll(it.process)).pieces).toEqual([]);
    const again = await it.client.start(["program"], { processId: "p" });
    it.output(1, "fresh");
    expect((await again[Symbol.asyncIterator]().next()).value).toMatchObject({ seq: 1 });
  });

  it("of one process are not delayed by 4,097 unread ones of another", async () => {
    await using it = await scriptedProcess();
    const quiet = await it.client.start(["program"], { processId: "quiet" });
    for (let seq = 1; seq <= 4097; seq++) it.output(seq, "noise");
    output(it.connection, "quiet", 1, "psst");
    expect((await quiet[Symbol.asyncIterator]().next()).value).toMatchObject({ seq: 1, stream: "stdout" });
  });
});

describe("the end of the connection", () => {
  it("fails the process once, after the output that had arrived", async () => {
    await using it = await scriptedProcess();
    for (const seq of [1, 2, 3]) it.output(seq, String(seq));
    it.connection.drop();
    const { pieces, error } = await readAll(it.process);
    expect(pieces).toEqual(["stdout:1", "stdout:2", "stdout:3"]);
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(await failureOf(it.process.closed)).toBe(error);
    expect(await failureOf(it.process.exited)).toBe(error);
    expect(await it.client.disconnected).toBe(error);
  });

  it("never shows what came behind a gap, and is never a clean end", async () => {
    await using it = await scriptedProcess();
    it.output(1, "one");
    it.output(3, "three");
    it.exited(4);
    it.closed(5);
    it.connection.drop();
    const { pieces, error } = await readAll(it.process);
    expect(pieces).toEqual(["stdout:one"]);
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("leaves a process alone that was closed before", async () => {
    await using it = await scriptedProcess();
    it.output(1, "done");
    it.exited(2, 3);
    it.closed(3);
    it.connection.drop();
    await it.client.disconnected;
    expect(await readAll(it.process)).toEqual({ pieces: ["stdout:done"], error: undefined });
    expect(await it.process.closed).toMatchObject({ exitCode: 3 });
    expect(await it.process.terminate()).toEqual({ running: false });
  });

  it("leaves an exit that was seen, and fails the close", async () => {
    await using it = await scriptedProcess();
    it.exited(1, 5);
    it.connection.drop();
    expect(await it.process.exited).toMatchObject({ exitCode: 5 });
    expect(await failureOf(it.process.closed)).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("reaches every process, stdout and stderr alike", async () => {
    await using it = await scriptedProcess();
    const other = await it.client.start(["program"], { processId: "other" });
    it.connection.drop();
    const reasons = await Promise.all([
      failureOf(it.process.closed),
      failureOf(other.closed),
      failureOf(other.stdout.getReader().read()),
      failureOf(other.stderr.getReader().read()),
    ]);
    expect(new Set(reasons).size).toBe(1);
  });

  it("rejects requests about a process that are under way", async () => {
    await using it = await scriptedProcess({ stdin: "pipe" });
    const calls = [it.process.write("x"), it.process.terminate(), it.process.interrupt()].map(failureOf);
    for (const method of ["process/write", "process/terminate", "process/signal"]) {
      await it.connection.request(method);
    }
    it.connection.drop();
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "unknown" });
    }
  });

  it("rejects a start under way; the id is free on the next connection and nothing is started again", async () => {
    await using it = await scriptedProcess();
    it.server.handle("process/start", (_, connection) => {
      connection.drop();
      return silence;
    });
    expect(await failureOf(it.client.start(["program"], { processId: "q" }))).toMatchObject({
      code: "ERR_DISCONNECTED",
      delivery: "unknown",
    });
    expect(it.server.connections).toHaveLength(1);
    expect(await failureOf(it.client.start(["program"], { processId: "q" }))).toMatchObject({
      delivery: "not-sent",
    });
  });

  it("is what a write gets, not that the standard input was closed", async () => {
    await using it = await scriptedProcess({ stdin: "pipe" });
    it.connection.drop();
    await it.client.disconnected;
    expect(await failureOf(it.process.write("x"))).toMatchObject({
      code: "ERR_DISCONNECTED",
      delivery: "not-sent",
    });
  });

  it("is nothing that `await using` of a process complains about", async () => {
    await using it = await scriptedProcess();
    it.connection.drop();
    await it.client.disconnected;
    await it.process[Symbol.asyncDispose]();
  });

  it("is no unhandled rejection when nobody looks at the process", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    await using it = await scriptedProcess();
    it.connection.drop();
    await it.client.disconnected;
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listener);
    expect(unhandled).toEqual([]);
  });
});
