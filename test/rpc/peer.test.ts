import { describe, expect, it } from "vitest";
import { ExecServerClient, ServerError, webSocket } from "../../src/index.ts";
import { silence, type TestHandler } from "../../src/testing.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { connectedTo, QuietServer } from "../support/scripted-server.ts";

/** A client whose server answers a status that way, and nothing without one. */
async function connected(onStatus: TestHandler<"environment/status"> = () => silence) {
  const server = new QuietServer();
  server.handle("environment/status", onStatus);
  return await connectedTo(server);
}

describe("calls", () => {
  it("get their own answers in whatever order these come, with ids that count up", async () => {
    await using it = await connected();
    const slow = it.client.status();
    const fast = it.client.status();
    const first = await it.connection.request("environment/status", 1);
    const second = await it.connection.request("environment/status", 2);
    expect([first.id, second.id]).toEqual([2, 3]);
    it.connection.answer(second, { status: "fast" });
    expect(await fast).toEqual({ status: "fast" });
    it.connection.answer(first, { status: "slow" });
    expect(await slow).toEqual({ status: "slow" });
  });

  it("send no jsonrpc member", async () => {
    await using it = await connected();
    void it.client.status().catch(() => {});
    expect(await it.connection.request("environment/status")).toEqual({
      id: 2,
      method: "environment/status",
      params: null,
    });
  });

  it("fail alone with the server's error", async () => {
    await using it = await connected(({ id }) => {
      if (id === 2) throw new ServerError("boom", { rpcCode: -32603, data: { a: 1 } });
      return { status: "ready" };
    });
    expect(await failureOf(it.client.status())).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32603,
      data: { a: 1 },
      delivery: "answered",
      sessionId: "session-1",
    });
    expect(await it.client.status()).toEqual({ status: "ready" });
  });

  it.each([
    ["a result of the wrong shape", { result: { status: 5 } }],
    ["a null result", { result: null }],
    ["neither result nor error", {}],
    ["an error that is none", { error: "boom" }],
  ])("fail alone when the answer has %s", async (_, answer) => {
    await using it = await connected(({ id }, connection) => {
      if (id !== 2) return { status: "ready" };
      connection.send({ id, ...answer });
      return silence;
    });
    expect(await failureOf(it.client.status())).toMatchObject({ code: "ERR_PROTOCOL", delivery: "answered" });
    expect(await it.client.status()).toEqual({ status: "ready" });
  });

  it("ignore answers to ids that are unknown, answered already, or -1", async () => {
    await using it = await connected((request, connection) => {
      connection.send({ id: 999, result: {} });
      connection.send({ id: "2", result: {} });
      connection.send({ id: -1, error: { code: -32600, message: "failed to parse" } });
      connection.answer(request, { status: "first" });
      connection.answer(request, { status: "second" });
      return silence;
    });
    expect(await it.client.status()).toEqual({ status: "first" });
    expect(await it.client.status()).toEqual({ status: "first" });
  });

  it("keep an unknown member of a result", async () => {
    await using it = await connected(() => ({ status: "ready", since: 1 }));
    expect(await it.client.status()).toEqual({ status: "ready", since: 1 });
  });

  it("treat -32000 as any other server error", async () => {
    await using it = await connected(() => {
      throw new ServerError("busy", { rpcCode: -32000 });
    });
    expect(await failureOf(it.client.status())).toMatchObject({ code: "ERR_SERVER", rpcCode: -32000 });
    expect(it.client.isDisconnected).toBe(false);
  });
});

describe("messages from the server", () => {
  it("are ignored when they are notifications nobody knows", async () => {
    await using it = await connected((_, connection) => {
      connection.notify("weather/changed", { sunny: true });
      connection.notify("toString", {});
      return { status: "ready" };
    });
    expect(await it.client.status()).toEqual({ status: "ready" });
  });

  it("get an answer when they are requests: a policy question a denial, everything else -32601", async () => {
    await using it = await connected((_, connection) => {
      connection.send({ id: "q1", method: "network/policyRequest", params: {} });
      connection.send({ id: 77, method: "client/dance" });
      return { status: "ready" };
    });
    // The second request comes behind the answers to the first two of the server's.
    await it.client.status();
    await it.client.status();
    const answers = it.connection.received.filter(({ method }) => method === undefined);
    expect(answers).toContainEqual({
      id: "q1",
      result: { decision: { type: "deny", reason: "not_allowed" } },
    });
    expect(answers).toContainEqual({ id: 77, error: { code: -32601, message: expect.any(String) } });
  });

  it.each([
    ["no JSON", "}{"],
    ["an array", "[]"],
    ["a string", '"hi"'],
    ["neither a request nor an answer", "{}"],
    ["a request whose id is no id", '{"id":{},"method":"x"}'],
    ["very deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["a process notification that names no process", '{"method":"process/closed","params":{"seq":1}}'],
  ])("end the connection for everyone when a frame is %s", async (_, frame) => {
    await using it = await connected();
    const pending = [failureOf(it.client.status()), failureOf(it.client.status())];
    await it.connection.request("environment/status", 2);
    it.connection.send(frame);
    const failure = await it.client.disconnected;
    expect(failure).toMatchObject({ code: "ERR_DISCONNECTED", cause: { code: "ERR_PROTOCOL" } });
    for (const error of await Promise.all(pending)) {
      expect(error).toMatchObject({ message: failure.message, delivery: "unknown" });
    }
    expect(await failureOf(it.client.status())).toMatchObject({
      message: failure.message,
      delivery: "not-sent",
    });
  });
});

describe("the end of the connection", () => {
  it("does not take away an answer that was read before it", async () => {
    await using it = await connected((request, connection) => {
      connection.answer(request, { status: "ready" });
      connection.close();
      return silence;
    });
    expect(await it.client.status()).toEqual({ status: "ready" });
    await it.client.disconnected;
  });

  it("rejects 50 calls in flight with one message, and later ones without sending anything", async () => {
    await using it = await connected();
    const calls = Array.from({ length: 50 }, () => failureOf(it.client.status()));
    await it.connection.request("environment/status", 50);
    it.connection.drop();
    const failure = await it.client.disconnected;
    expect(failure).toMatchObject({ code: "ERR_DISCONNECTED", closeCode: 1006, sessionId: "session-1" });
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ message: failure.message, delivery: "unknown" });
    }
    const sent = it.connection.received.length;
    expect(await failureOf(it.client.status())).toMatchObject({
      message: failure.message,
      delivery: "not-sent",
    });
    expect(it.connection.received).toHaveLength(sent);
  });

  it("tells calls that were still waiting for their turn that they were not sent", async () => {
    await using it = await connected();
    const calls = Array.from({ length: 300 }, () => failureOf(it.client.status()));
    await it.connection.request("environment/status", 128);
    it.connection.drop();
    const deliveries = (await Promise.all(calls)).map((error) => (error as { delivery: string }).delivery);
    expect(deliveries.slice(0, 128)).toEqual(Array(128).fill("unknown"));
    expect(deliveries.slice(128)).toEqual(Array(172).fill("not-sent"));
  });

  it("rejects what is pending when the client is closed from here", async () => {
    await using it = await connected();
    const pending = failureOf(it.client.status());
    await it.connection.request("environment/status");
    await it.client.close();
    expect(await pending).toMatchObject({ code: "ERR_CLOSED", delivery: "unknown" });
    expect(it.client.isDisconnected).toBe(true);
    expect(await it.client.disconnected).toMatchObject({ code: "ERR_CLOSED" });
  });

  it("tells the reason the server gives", async () => {
    await using it = await connected();
    it.connection.close(4001, "maintenance");
    expect(await it.client.disconnected).toMatchObject({ reason: "maintenance", closeCode: 4001 });
  });
});

describe("a frame too large for the server", () => {
  it("is refused before it is sent, and nothing else is lost", async () => {
    await using server = await ExecServer.start();
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    const huge = "ä".repeat(8 * 1024 * 1024);
    expect(await failureOf(client.run(["true", huge]))).toMatchObject({
      code: "ERR_TOO_LARGE",
      delivery: "not-sent",
    });
    expect(await client.status()).toEqual({ status: "ready" });
  });
});

describe("20,000 calls at once", () => {
  it("are all answered by the real server, beside a process that streams and is written to", async () => {
    await using server = await ExecServer.start();
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    await using cat = await client.start(["cat"], { stdin: "pipe" });
    const received = (async () => {
      let length = 0;
      for await (const { chunk } of cat) {
        length += chunk.length;
        if (length === 300 * 1024) return length;
      }
      return length;
    })();
    const writes = Promise.all(Array.from({ length: 300 }, () => cat.write(new Uint8Array(1024))));
    const answers = await Promise.all(Array.from({ length: 20_000 }, () => client.status()));
    expect(answers.every(({ status }) => status === "ready")).toBe(true);
    await writes;
    expect(await received).toBe(300 * 1024);
  });
});
