import { describe, expect, it } from "vitest";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readAll } from "../support/read.ts";
import { CHANNELS, connected } from "./channels.ts";

/** The error of a pending call when its connection ends. Its message depends on the channel. */
const LOST = { code: "ERR_DISCONNECTED", delivery: "unknown" };

describe.each(CHANNELS)("%s", (name, open) => {
  const isStdio = name === "over stdio";
  const lost = isStdio ? LOST : { ...LOST, closeCode: 1006 };

  it("close() ends the connection after the sent frames, with code and reason", async () => {
    await using t = await connected(open);
    t.server.hold("environment/status");
    const answered = t.client.status();
    t.connection.answer(await t.connection.request("environment/status"), { status: "last" });
    t.connection.close(4001, "maintenance");
    expect(await answered).toEqual({ status: "last" });
    const end = isStdio
      ? { reason: expect.stringContaining("the exec-server process ended with code 0") }
      : { closeCode: 4001, reason: "maintenance" };
    expect(await t.client.disconnected).toMatchObject({ code: "ERR_DISCONNECTED", ...end });
    expect(t.connection.isOpen).toBe(false);
    await t.connection.ended;
  });

  it("drop() ends the connection after the sent frames, without a closing handshake", async () => {
    await using t = await connected(open);
    t.server.hold("environment/status");
    const [answered, pending] = [t.client.status(), failureOf(t.client.status())];
    await t.connection.request("environment/status", 2);
    t.connection.answer(await t.connection.request("environment/status"), { status: "last" });
    t.connection.drop();
    expect(await answered).toEqual({ status: "last" });
    expect(await pending).toMatchObject(lost);
    if (isStdio) expect((await t.client.disconnected).message).toContain("SIGKILL");
  });

  it.each(["drop", "close"] as const)("%s() delivers 16 MiB sent before it", async (end) => {
    await using t = await connected(open);
    t.server.hold("environment/status");
    const call = t.client.status();
    const status = "x".repeat(16 * 1024 * 1024);
    t.connection.answer(await t.connection.request("environment/status"), { status });
    t.connection[end]();
    expect((await call).status === status).toBe(true);
    await t.client.disconnected;
  });

  it("reset() ends the connection immediately", async () => {
    await using t = await connected(open);
    t.server.hold("environment/status");
    const pending = failureOf(t.client.status());
    await t.connection.request("environment/status");
    t.connection.reset();
    expect(await pending).toMatchObject(lost);
  });

  it("dropAfterBytes() delivers the frames within the limit and loses the one that exceeds it", async () => {
    await using t = await connected(open);
    t.server.hold("environment/status");
    const calls = [1, 2, 3].map(() => t.client.status().catch((error) => error.code));
    const requests = await Promise.all([1, 2, 3].map((n) => t.connection.request("environment/status", n)));
    // 50 bytes are enough for frame headers and line ends, and too few for the second response.
    const answer = (request: object) => ({ ...request, result: { status: "x".repeat(100) } });
    const one = JSON.stringify(answer({ id: requests[0]?.id })).length;
    t.connection.dropAfterBytes(one + 50);
    for (const { id } of requests) t.connection.send(answer({ id }));
    expect(await Promise.all(calls)).toEqual([
      { status: "x".repeat(100) },
      "ERR_DISCONNECTED",
      "ERR_DISCONNECTED",
    ]);
  });

  it("dropAfterBytes() delivers a frame of exactly that size", async () => {
    await using t = await connected(open);
    t.server.hold("environment/status");
    const call = t.client.status();
    const { id } = await t.connection.request("environment/status");
    const frame = JSON.stringify({ id, result: { status: "x" } });
    const overhead = { "in memory": 0, "over a WebSocket": 2, "over stdio": 1 }[name];
    t.connection.dropAfterBytes(frame.length + overhead);
    t.connection.send(frame);
    expect(await call).toEqual({ status: "x" });
    expect(await t.client.disconnected).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("dropAfterBytes() loses a frame that is one byte larger", async () => {
    await using t = await connected(open);
    t.server.hold("environment/status");
    const call = failureOf(t.client.status());
    const { id } = await t.connection.request("environment/status");
    const frame = JSON.stringify({ id, result: { status: "x" } });
    // Over stdio the line end is cut off; elsewhere the last character.
    const overhead = { "in memory": 0, "over a WebSocket": 2, "over stdio": 1 }[name];
    t.connection.dropAfterBytes(frame.length + overhead - 1);
    t.connection.send(frame);
    expect(await call).toMatchObject(LOST);
  });

  it("freeze() leaves the connection half-open until it is lifted", async () => {
    await using t = await connected(open);
    const thaw = t.connection.freeze();
    const call = t.client.status();
    expect(await failureOf(t.client.status({ timeoutMs: 100 }))).toMatchObject({ code: "ERR_TIMEOUT" });
    expect(t.server.requests("environment/status")).toEqual([]);
    expect([t.client.isDisconnected, t.connection.isOpen]).toEqual([false, true]);
    thaw();
    expect(await call).toEqual({ status: "ready" });
    expect(t.server.requests("environment/status")).toHaveLength(2);
  });

  it("freeze() ignores a close of the client, which still settles within two seconds", async () => {
    await using t = await connected(open);
    t.connection.freeze();
    const started = performance.now();
    await t.client.close();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("stopReading() keeps requests pending, and handles all of them when reading resumes", async () => {
    await using t = await connected(open);
    const resumeReading = t.connection.stopReading();
    const size = 2 * 1024 * 1024;
    const writes = [1, 2, 3, 4, 5, 6, 7, 8].map((n) =>
      t.client.call("echo", { n, padding: "x".repeat(size) }).catch((error) => error.rpcCode),
    );
    // The server can still send.
    const started = t.client.start(["program"], { processId: "p" }).catch(() => undefined);
    t.connection.notify("process/output", { processId: "p", seq: 1, stream: "stdout", chunk: "" });
    expect(await failureOf(t.client.status({ timeoutMs: 100 }))).toMatchObject({ code: "ERR_TIMEOUT" });
    expect(t.server.requests("echo")).toEqual([]);
    resumeReading();
    expect(await Promise.all(writes)).toEqual(Array(8).fill(-32601));
    await started;
  });

  it("stopReading() fills the buffers, and then the client has backpressure", async () => {
    await using server = new TestServer();
    await using route = await open(server);
    const connection = await route.transport.connect({ signal: new AbortController().signal });
    const resumeReading = (await server.connection()).stopReading();
    const frame = JSON.stringify({ method: "large", params: "x".repeat(1024 * 1024) });
    for (let count = 0; count < 32; count++) connection.send(frame);
    const drained = connection.flow?.drained();
    // Long enough for a server that does read.
    const first = await Promise.race([
      drained,
      new Promise((resolve) => setTimeout(resolve, 1_000, "pending")),
    ]);
    expect(first).toBe("pending");
    expect(connection.flow?.queuedBytes).toBeGreaterThan(16 * 1024 * 1024);
    resumeReading();
    await drained;
    await connection.close();
  });

  it("stopReading() in a handler also delays the requests that arrived together with the handled one", async () => {
    await using t = await connected(open);
    const handled: unknown[] = [];
    let resumeReading: (() => void) | undefined;
    t.server.handle("count", ({ params }, connection) => {
      handled.push(params);
      resumeReading ??= connection.stopReading();
      return params;
    });
    // Sent in one turn, so that they arrive together.
    const calls = [1, 2, 3].map((n) => t.client.call("count", n));
    expect(await calls[0]).toBe(1);
    expect(handled).toEqual([1]);
    resumeReading?.();
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
  });

  it("holdFrames() can send the frames in another order", async () => {
    await using t = await connected(open);
    const order: string[] = [];
    const release = t.connection.holdFrames();
    const calls = ["first", "second"].map((name) => t.client.status().then(() => order.push(name)));
    await t.connection.request("environment/status", 2);
    release((frames) => frames.reverse());
    await Promise.all(calls);
    expect(order).toEqual(["second", "first"]);
  });

  it("holdFrames() can drop a frame and repeat another", async () => {
    await using t = await connected(open);
    const release = t.connection.holdFrames();
    const [lost, answered] = [failureOf(t.client.status({ timeoutMs: 100 })), t.client.status()];
    await t.connection.request("environment/status", 2);
    release(([, second = ""]) => [second, second]);
    expect(await answered).toEqual({ status: "ready" });
    expect(await lost).toMatchObject({ code: "ERR_TIMEOUT" });
  });

  it.each(["failThenClose", "closeThenFail"] as const)(
    "%s() rejects every pending call with the same error",
    async (fault) => {
      await using t = await connected(open);
      t.server.hold("environment/status");
      const calls = [failureOf(t.client.status()), failureOf(t.client.status())];
      await t.connection.request("environment/status", 2);
      t.connection[fault]();
      const failure = await t.client.disconnected;
      expect(failure).toMatchObject({ code: "ERR_DISCONNECTED" });
      for (const error of await Promise.all(calls)) {
        expect(error).toMatchObject({
          message: `status: ${failure.message}`,
          reason: (failure as { reason?: string }).reason,
        });
      }
      if (isStdio) expect(failure.message).toContain("code 1");
      else if (fault === "failThenClose") {
        expect(failure).toMatchObject({ closeCode: 1006, reason: expect.stringContaining("invalid opcode") });
      } else expect(failure).toMatchObject({ closeCode: 1000 });
      await t.connection.ended;
    },
  );

  it.each([
    ["a frame that is not JSON", "}{", "not JSON"],
    ["a frame that is not an object", "[]", "not a JSON object"],
    ["a frame of more than 64 MiB", `"${"x".repeat(64 * 1024 * 1024)}"`, ""],
  ])("send() of %s ends the connection", async (_, frame, message) => {
    await using t = await connected(open);
    t.connection.send(frame);
    const failure = await t.client.disconnected;
    expect(failure).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(failure.message).toContain(message);
    await t.connection.ended;
  });

  it("send() of bytes sends a frame", async () => {
    await using t = await connected(open);
    t.server.hold("environment/status");
    const call = t.client.status();
    const { id } = await t.connection.request("environment/status");
    t.connection.send(Buffer.from(`{"id":${id},"result":{"status":"grüße"}}`));
    expect(await call).toEqual({ status: "grüße" });
  });

  it("sendBytes() sends part of a frame, or throws in memory", async () => {
    await using t = await connected(open);
    if (!t.hasBytes) {
      expect(() => t.connection.sendBytes(new Uint8Array())).toThrow(/in memory/);
      return;
    }
    t.server.hold("environment/status");
    const call = failureOf(t.client.status());
    const { id } = await t.connection.request("environment/status");
    const text = `{"id":${id},"result":{"status":"half"}}`;
    // A line without its end, or the header of a frame that is longer than what follows.
    const half = isStdio ? text : `\x81\x7e\x10\x00${text}`;
    t.connection.sendBytes(Uint8Array.from(half, (character) => character.charCodeAt(0)));
    t.connection.drop();
    expect(await call).toMatchObject(LOST);
  });
});

describe("late frames of a previous session", () => {
  it.each(CHANNELS.filter(([name]) => name !== "over stdio"))(
    "are ignored on the next connection, %s",
    async (_, open) => {
      const server = new TestServer();
      server.onCommand(["make"]);
      await using t = await connected(open, server);
      await t.lazy.start(["make"], { processId: "p" });
      const [late, old] = [await t.connection.request("process/start"), await server.process()];
      t.connection.drop();
      await t.client.disconnected;

      const next = await t.lazy.get();
      const connection = await server.connection(2);
      const again = await next.start(["make"], { processId: "q" });
      connection.answer(late, { processId: "p" });
      old.continueOn(connection);
      old.stdout("late");
      old.exit(7);
      const made = await server.process(2);
      made.stdout("current");
      made.exit();
      expect(await readAll(again)).toEqual({ pieces: ["stdout:current"], error: undefined });
      expect(await again.closed).toMatchObject({ exitCode: 0 });
      expect(next.isDisconnected).toBe(false);
    },
  );
});
