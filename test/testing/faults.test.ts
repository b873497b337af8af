import { describe, expect, it } from "vitest";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readAll } from "../support/read.ts";
import { connected, WAYS } from "./channels.ts";

/** What ends a connection says so in the words of its channel. */
const LOST = { code: "ERR_DISCONNECTED", delivery: "unknown" };

describe.each(WAYS)("%s", (name, way) => {
  const isStdio = name === "over stdio";
  const lost = isStdio ? LOST : { ...LOST, closeCode: 1006 };

  it("close() ends the connection behind what was sent, with code and reason", async () => {
    await using it = await connected(way);
    it.server.hold("environment/status");
    const answered = it.client.status();
    it.connection.answer(await it.connection.request("environment/status"), { status: "last words" });
    it.connection.close(4001, "maintenance");
    expect(await answered).toEqual({ status: "last words" });
    const told = isStdio
      ? { reason: expect.stringContaining("the exec-server process ended with code 0") }
      : { closeCode: 4001, reason: "maintenance" };
    expect(await it.client.disconnected).toMatchObject({ code: "ERR_DISCONNECTED", ...told });
    expect(it.connection.isOpen).toBe(false);
    await it.connection.ended;
  });

  it("drop() breaks off behind what was sent, without a goodbye", async () => {
    await using it = await connected(way);
    it.server.hold("environment/status");
    const [answered, pending] = [it.client.status(), failureOf(it.client.status())];
    await it.connection.request("environment/status", 2);
    it.connection.answer(await it.connection.request("environment/status"), { status: "last words" });
    it.connection.drop();
    expect(await answered).toEqual({ status: "last words" });
    expect(await pending).toMatchObject(lost);
    if (isStdio) expect((await it.client.disconnected).message).toContain("SIGKILL");
  });

  it.each(["drop", "close"] as const)("%s() loses nothing of what was sent, however much", async (end) => {
    await using it = await connected(way);
    it.server.hold("environment/status");
    const call = it.client.status();
    const status = "x".repeat(16 * 1024 * 1024);
    it.connection.answer(await it.connection.request("environment/status"), { status });
    it.connection[end]();
    expect((await call).status === status).toBe(true);
    await it.client.disconnected;
  });

  it("reset() breaks off at once", async () => {
    await using it = await connected(way);
    it.server.hold("environment/status");
    const pending = failureOf(it.client.status());
    await it.connection.request("environment/status");
    it.connection.reset();
    expect(await pending).toMatchObject(lost);
  });

  it("dropAfterBytes() breaks off there: what fits arrives, and what is cut does not", async () => {
    await using it = await connected(way);
    it.server.hold("environment/status");
    const calls = [1, 2, 3].map(() => it.client.status().catch((error) => error.code));
    const requests = await Promise.all([1, 2, 3].map((n) => it.connection.request("environment/status", n)));
    // Heads and line ends are a few bytes more, so the second answer is cut in any case.
    const answer = (request: object) => ({ ...request, result: { status: "x".repeat(100) } });
    const one = JSON.stringify(answer({ id: requests[0]?.id })).length;
    it.connection.dropAfterBytes(one + 50);
    for (const { id } of requests) it.connection.send(answer({ id }));
    expect(await Promise.all(calls)).toEqual([
      { status: "x".repeat(100) },
      "ERR_DISCONNECTED",
      "ERR_DISCONNECTED",
    ]);
  });

  it("dropAfterBytes() of exactly one frame lets it arrive whole", async () => {
    await using it = await connected(way);
    it.server.hold("environment/status");
    const call = it.client.status();
    const { id } = await it.connection.request("environment/status");
    const frame = JSON.stringify({ id, result: { status: "x" } });
    const overhead = { "in memory": 0, "over a WebSocket": 2, "over stdio": 1 }[name];
    it.connection.dropAfterBytes(frame.length + overhead);
    it.connection.send(frame);
    expect(await call).toEqual({ status: "x" });
    expect(await it.client.disconnected).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("dropAfterBytes() one byte short of a frame loses it", async () => {
    await using it = await connected(way);
    it.server.hold("environment/status");
    const call = failureOf(it.client.status());
    const { id } = await it.connection.request("environment/status");
    const frame = JSON.stringify({ id, result: { status: "x" } });
    // The line end is missing over stdio, the last character elsewhere.
    const overhead = { "in memory": 0, "over a WebSocket": 2, "over stdio": 1 }[name];
    it.connection.dropAfterBytes(frame.length + overhead - 1);
    it.connection.send(frame);
    expect(await call).toMatchObject(LOST);
  });

  it("freeze() is a half-open connection: nothing arrives, nothing ends, until it is lifted", async () => {
    await using it = await connected(way);
    const thaw = it.connection.freeze();
    const call = it.client.status();
    expect(await failureOf(it.client.status({ timeoutMs: 100 }))).toMatchObject({ code: "ERR_TIMEOUT" });
    expect(it.server.requests("environment/status")).toEqual([]);
    expect([it.client.isDisconnected, it.connection.isOpen]).toEqual([false, true]);
    thaw();
    expect(await call).toEqual({ status: "ready" });
    expect(it.server.requests("environment/status")).toHaveLength(2);
  });

  it("freeze() answers no goodbye: close() settles within two seconds all the same", async () => {
    await using it = await connected(way);
    it.connection.freeze();
    const started = performance.now();
    await it.client.close();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("stopReading() leaves what is sent with the client, and hears it all later", async () => {
    await using it = await connected(way);
    const read = it.connection.stopReading();
    const size = 2 * 1024 * 1024;
    const writes = [1, 2, 3, 4, 5, 6, 7, 8].map((n) =>
      it.client.call("echo", { n, padding: "x".repeat(size) }).catch((error) => error.rpcCode),
    );
    // The server can still speak.
    const heard = it.client.start(["program"], { processId: "p" }).catch(() => undefined);
    it.connection.notify("process/output", { processId: "p", seq: 1, stream: "stdout", chunk: "" });
    expect(await failureOf(it.client.status({ timeoutMs: 100 }))).toMatchObject({ code: "ERR_TIMEOUT" });
    expect(it.server.requests("echo")).toEqual([]);
    read();
    expect(await Promise.all(writes)).toEqual(Array(8).fill(-32601));
    await heard;
  });

  it("stopReading() fills what lies between, and then the client waits", async () => {
    await using server = new TestServer();
    await using to = await way(server);
    const connection = await to.transport.connect({ signal: new AbortController().signal });
    const readOn = (await server.connection()).stopReading();
    const frame = JSON.stringify({ method: "much", params: "x".repeat(1024 * 1024) });
    for (let count = 0; count < 32; count++) connection.send(frame);
    const drained = connection.flow?.drained();
    // Long enough for a server that reads.
    const first = await Promise.race([
      drained,
      new Promise((resolve) => setTimeout(resolve, 1_000, "waits")),
    ]);
    expect(first).toBe("waits");
    expect(connection.flow?.queuedBytes).toBeGreaterThan(16 * 1024 * 1024);
    readOn();
    await drained;
    await connection.close();
  });

  it("stopReading() holds up also what had come together with what made it stop", async () => {
    await using it = await connected(way);
    const handled: unknown[] = [];
    let readOn: (() => void) | undefined;
    it.server.handle("count", ({ params }, connection) => {
      handled.push(params);
      readOn ??= connection.stopReading();
      return params;
    });
    // In one turn, so that they leave as one.
    const calls = [1, 2, 3].map((n) => it.client.call("count", n));
    expect(await calls[0]).toBe(1);
    expect(handled).toEqual([1]);
    readOn?.();
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
  });

  it("holdFrames() lets frames go in another order", async () => {
    await using it = await connected(way);
    const order: string[] = [];
    const release = it.connection.holdFrames();
    const calls = ["first", "second"].map((name) => it.client.status().then(() => order.push(name)));
    await it.connection.request("environment/status", 2);
    release((frames) => frames.reverse());
    await Promise.all(calls);
    expect(order).toEqual(["second", "first"]);
  });

  it("holdFrames() may lose a frame, or repeat it", async () => {
    await using it = await connected(way);
    const release = it.connection.holdFrames();
    const [lost, answered] = [failureOf(it.client.status({ timeoutMs: 100 })), it.client.status()];
    await it.connection.request("environment/status", 2);
    release(([, second = ""]) => [second, second]);
    expect(await answered).toEqual({ status: "ready" });
    expect(await lost).toMatchObject({ code: "ERR_TIMEOUT" });
  });

  it.each(["failThenClose", "closeThenFail"] as const)("%s() is one end for everyone", async (fault) => {
    await using it = await connected(way);
    it.server.hold("environment/status");
    const calls = [failureOf(it.client.status()), failureOf(it.client.status())];
    await it.connection.request("environment/status", 2);
    it.connection[fault]();
    const failure = await it.client.disconnected;
    expect(failure).toMatchObject({ code: "ERR_DISCONNECTED" });
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ message: failure.message });
    if (isStdio) expect(failure.message).toContain("code 1");
    else if (fault === "failThenClose") {
      expect(failure).toMatchObject({ closeCode: 1006, reason: expect.stringContaining("invalid opcode") });
    } else expect(failure).toMatchObject({ closeCode: 1000 });
    await it.connection.ended;
  });

  it.each([
    ["a frame that is no JSON", "}{", "not JSON"],
    ["a frame that is no message", "[]", "not a JSON object"],
    ["a frame of more than 64 MiB", `"${"x".repeat(64 * 1024 * 1024)}"`, ""],
  ])("send() of %s ends the connection", async (_, frame, words) => {
    await using it = await connected(way);
    it.connection.send(frame);
    const failure = await it.client.disconnected;
    expect(failure).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(failure.message).toContain(words);
    await it.connection.ended;
  });

  it("send() of bytes is a frame like any other", async () => {
    await using it = await connected(way);
    it.server.hold("environment/status");
    const call = it.client.status();
    const { id } = await it.connection.request("environment/status");
    it.connection.send(Buffer.from(`{"id":${id},"result":{"status":"grüße"}}`));
    expect(await call).toEqual({ status: "grüße" });
  });

  it("sendBytes() goes below the level of frames, where there is one", async () => {
    await using it = await connected(way);
    if (!it.hasBytes) {
      expect(() => it.connection.sendBytes(new Uint8Array())).toThrow(/in memory/);
      return;
    }
    it.server.hold("environment/status");
    const call = failureOf(it.client.status());
    const { id } = await it.connection.request("environment/status");
    const text = `{"id":${id},"result":{"status":"half"}}`;
    // A line without its end; or the head of a longer frame than there is.
    const half = isStdio ? text : `\x81\x7e\x10\x00${text}`;
    it.connection.sendBytes(Uint8Array.from(half, (character) => character.charCodeAt(0)));
    it.connection.drop();
    expect(await call).toMatchObject(LOST);
  });
});

describe("late frames of an old session", () => {
  it.each(WAYS.filter(([name]) => name !== "over stdio"))(
    "are nobody's on the next connection, %s",
    async (_, way) => {
      const server = new TestServer();
      server.onCommand(["make"]);
      await using it = await connected(way, server);
      await it.lazy.start(["make"], { processId: "p" });
      const [late, old] = [await it.connection.request("process/start"), await server.process()];
      it.connection.drop();
      await it.client.disconnected;

      const next = await it.lazy.get();
      const connection = await server.connection(2);
      const again = await next.start(["make"], { processId: "q" });
      connection.answer(late, { processId: "p" });
      old.continueOn(connection);
      old.stdout("late");
      old.exit(7);
      const made = await server.process(2);
      made.stdout("mine");
      made.exit();
      expect(await readAll(again)).toEqual({ pieces: ["stdout:mine"], error: undefined });
      expect(await again.closed).toMatchObject({ exitCode: 0 });
      expect(next.isDisconnected).toBe(false);
    },
  );
});
