import { describe, expect, it } from "vitest";
import { silence } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readAll } from "../support/read.ts";
import { scriptedProcess } from "../support/scripted-process.ts";
import { output, QuietServer } from "../support/scripted-server.ts";

describe("process events", () => {
  it("are delivered in sequence if they arrive in reverse order", async () => {
    await using scripted = await scriptedProcess();
    scripted.closed(4);
    scripted.exited(3, 7);
    scripted.output(2, "two");
    scripted.output(1, "one");
    expect(await readAll(scripted.process)).toEqual({
      pieces: ["stdout:one", "stdout:two"],
      error: undefined,
    });
    expect(await scripted.process.closed).toEqual({ exitCode: 7, sandboxDenied: false });
  });

  it("are delivered once if they arrive twice; sequence number 0 is ignored", async () => {
    await using scripted = await scriptedProcess();
    scripted.output(0, "zero");
    scripted.output(2, "two");
    scripted.output(2, "again");
    scripted.output(1, "one");
    scripted.output(1, "again");
    scripted.exited(3);
    scripted.closed(4);
    expect((await readAll(scripted.process)).pieces).toEqual(["stdout:one", "stdout:two"]);
  });

  it("are delivered if they arrive before the response to the start", async () => {
    const server = new QuietServer();
    server.handle("process/start", (_, connection) => {
      output(connection, "p", 1, "early");
      connection.notify("process/exited", { processId: "p", seq: 2, exitCode: 0 });
      connection.notify("process/closed", { processId: "p", seq: 3 });
      return { processId: "p" };
    });
    await using scripted = await scriptedProcess(undefined, server);
    expect((await readAll(scripted.process)).pieces).toEqual(["stdout:early"]);
  });

  it("include output after the exit, written by a descendant that holds the pipe", async () => {
    await using scripted = await scriptedProcess();
    scripted.exited(1, 0);
    expect(await scripted.process.exited).toEqual({ exitCode: 0, sandboxDenied: false });
    scripted.output(2, "grandchild");
    scripted.closed(3);
    expect(await readAll(scripted.process)).toEqual({ pieces: ["stdout:grandchild"], error: undefined });
  });

  it("are held while an earlier event is missing, even the close", async () => {
    await using scripted = await scriptedProcess();
    scripted.exited(2);
    scripted.closed(3);
    const early = await Promise.race([
      scripted.process.closed,
      scripted.client.status({ timeoutMs: 20 }).catch(() => "waiting"),
    ]);
    expect(early).toBe("waiting");
    scripted.output(1, "filled");
    expect((await readAll(scripted.process)).pieces).toEqual(["stdout:filled"]);
    await scripted.process.closed;
  });

  it("report exit codes unchanged", async () => {
    for (const exitCode of [-1, -1073741819, 255]) {
      await using scripted = await scriptedProcess();
      scripted.exited(1, exitCode);
      expect((await scripted.process.exited).exitCode).toBe(exitCode);
    }
  });

  it("are all delivered if 256 arrive before the first one", async () => {
    await using scripted = await scriptedProcess();
    for (let seq = 2; seq <= 257; seq++) scripted.output(seq, "x".repeat(4096));
    scripted.output(1, "first");
    scripted.exited(258);
    scripted.closed(259);
    const { pieces, error } = await readAll(scripted.process);
    expect(error).toBeUndefined();
    expect(pieces).toHaveLength(257);
  });

  it("fail only their process if 257 arrive before the first one", async () => {
    await using scripted = await scriptedProcess();
    const other = await scripted.client.start(["program"], { processId: "other" });
    for (let seq = 2; seq <= 258; seq++) scripted.output(seq, "x");
    expect(await failureOf(scripted.process.closed)).toMatchObject({ code: "ERR_PROTOCOL" });
    output(scripted.connection, "other", 1, "fine");
    scripted.connection.notify("process/exited", { processId: "other", seq: 2, exitCode: 0 });
    scripted.connection.notify("process/closed", { processId: "other", seq: 3 });
    expect((await readAll(other)).pieces).toEqual(["stdout:fine"]);
    expect(scripted.client.isDisconnected).toBe(false);
  });

  it.each([
    ["output without a sequence number", "process/output", { stream: "stdout", chunk: "" }],
    ["output that is not base64", "process/output", { seq: 2, stream: "stdout", chunk: "a?==" }],
    ["output of an unknown stream", "process/output", { seq: 2, stream: "stdnull", chunk: "" }],
    ["an exit without a code", "process/exited", { seq: 2 }],
    ["a close before the exit", "process/closed", { seq: 2 }],
  ])("fail only their process, after the output that has arrived, on %s", async (_, method, params) => {
    await using scripted = await scriptedProcess();
    scripted.output(1, "kept");
    scripted.connection.notify(method, { processId: "p", ...params });
    const { pieces, error } = await readAll(scripted.process);
    expect(pieces).toEqual(["stdout:kept"]);
    expect(error).toMatchObject({ code: "ERR_PROTOCOL" });
    expect(await failureOf(scripted.process.exited)).toBe(error);
    expect(scripted.client.isDisconnected).toBe(false);
  });

  it("are ignored for an unknown or a closed process", async () => {
    await using scripted = await scriptedProcess();
    output(scripted.connection, "stranger", 1, "boo");
    scripted.connection.notify("process/output", { processId: "stranger" });
    scripted.exited(1);
    scripted.closed(2);
    scripted.output(3, "late");
    expect((await readAll(scripted.process)).pieces).toEqual([]);
    const again = await scripted.client.start(["program"], { processId: "p" });
    scripted.output(1, "fresh");
    expect((await again[Symbol.asyncIterator]().next()).value).toMatchObject({ seq: 1 });
  });

  it("are not delayed by 4,097 unread events of another process", async () => {
    await using scripted = await scriptedProcess();
    const quiet = await scripted.client.start(["program"], { processId: "quiet" });
    for (let seq = 1; seq <= 4097; seq++) scripted.output(seq, "noise");
    output(scripted.connection, "quiet", 1, "psst");
    expect((await quiet[Symbol.asyncIterator]().next()).value).toMatchObject({ seq: 1, stream: "stdout" });
  });
});

describe("the end of the connection", () => {
  it("fails the process once, after the output that has arrived", async () => {
    await using scripted = await scriptedProcess();
    for (const seq of [1, 2, 3]) scripted.output(seq, String(seq));
    scripted.connection.drop();
    const { pieces, error } = await readAll(scripted.process);
    expect(pieces).toEqual(["stdout:1", "stdout:2", "stdout:3"]);
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(await failureOf(scripted.process.closed)).toBe(error);
    expect(await failureOf(scripted.process.exited)).toBe(error);
    expect(await scripted.client.disconnected).toBe(error);
  });

  it("drops events after a missing one, and is never a clean end of the output", async () => {
    await using scripted = await scriptedProcess();
    scripted.output(1, "one");
    scripted.output(3, "three");
    scripted.exited(4);
    scripted.closed(5);
    scripted.connection.drop();
    const { pieces, error } = await readAll(scripted.process);
    expect(pieces).toEqual(["stdout:one"]);
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("does not affect a process that is already closed", async () => {
    await using scripted = await scriptedProcess();
    scripted.output(1, "done");
    scripted.exited(2, 3);
    scripted.closed(3);
    scripted.connection.drop();
    await scripted.client.disconnected;
    expect(await readAll(scripted.process)).toEqual({ pieces: ["stdout:done"], error: undefined });
    expect(await scripted.process.closed).toMatchObject({ exitCode: 3 });
    expect(await scripted.process.terminate()).toEqual({ running: false });
  });

  it("keeps an exit that has arrived, and rejects the close", async () => {
    await using scripted = await scriptedProcess();
    scripted.exited(1, 5);
    scripted.connection.drop();
    expect(await scripted.process.exited).toMatchObject({ exitCode: 5 });
    expect(await failureOf(scripted.process.closed)).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("fails every process, stdout and stderr with the same error", async () => {
    await using scripted = await scriptedProcess();
    const other = await scripted.client.start(["program"], { processId: "other" });
    scripted.connection.drop();
    const reasons = await Promise.all([
      failureOf(scripted.process.closed),
      failureOf(other.closed),
      failureOf(other.stdout.getReader().read()),
      failureOf(other.stderr.getReader().read()),
    ]);
    expect(new Set(reasons).size).toBe(1);
  });

  it("rejects the requests of a process that are in flight", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    const calls = [
      scripted.process.write("x"),
      scripted.process.terminate(),
      scripted.process.interrupt(),
    ].map(failureOf);
    for (const method of ["process/write", "process/terminate", "process/signal"]) {
      await scripted.connection.request(method);
    }
    scripted.connection.drop();
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "unknown" });
    }
  });

  it("rejects a start in flight, which is not sent again", async () => {
    await using scripted = await scriptedProcess();
    scripted.server.handle("process/start", (_, connection) => {
      connection.drop();
      return silence;
    });
    expect(await failureOf(scripted.client.start(["program"], { processId: "q" }))).toMatchObject({
      code: "ERR_DISCONNECTED",
      delivery: "unknown",
    });
    expect(scripted.server.connections).toHaveLength(1);
    expect(await failureOf(scripted.client.start(["program"], { processId: "q" }))).toMatchObject({
      delivery: "not-sent",
    });
  });

  it("rejects a write with the connection's error, not with ERR_STDIN_CLOSED", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    scripted.connection.drop();
    await scripted.client.disconnected;
    expect(await failureOf(scripted.process.write("x"))).toMatchObject({
      code: "ERR_DISCONNECTED",
      delivery: "not-sent",
    });
  });

  it("does not make `await using` of a process throw", async () => {
    await using scripted = await scriptedProcess();
    scripted.connection.drop();
    await scripted.client.disconnected;
    await scripted.process[Symbol.asyncDispose]();
  });

  it("causes no unhandled rejection if no promise of the process is observed", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    await using scripted = await scriptedProcess();
    scripted.connection.drop();
    await scripted.client.disconnected;
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listener);
    expect(unhandled).toEqual([]);
  });
});
