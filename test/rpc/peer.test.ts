import { describe, expect, it } from "vitest";
import { ServerError } from "../../src/index.ts";
import { silence, type TestHandler } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { connectedTo, QuietServer } from "../support/scripted-server.ts";

/** A client of a server with this handler for status requests, which by default answers nothing. */
async function connected(onStatus: TestHandler<"environment/status"> = () => silence) {
  const server = new QuietServer();
  server.handle("environment/status", onStatus);
  return await connectedTo(server);
}

describe("calls", () => {
  it("resolve with their own responses in any order, with ids that count up", async () => {
    await using t = await connected();
    const slow = t.client.status();
    const fast = t.client.status();
    const first = await t.connection.request("environment/status", 1);
    const second = await t.connection.request("environment/status", 2);
    expect([first.id, second.id]).toEqual([2, 3]);
    t.connection.answer(second, { status: "fast" });
    expect(await fast).toEqual({ status: "fast" });
    t.connection.answer(first, { status: "slow" });
    expect(await slow).toEqual({ status: "slow" });
  });

  it("send no jsonrpc member", async () => {
    await using t = await connected();
    void t.client.status().catch(() => {});
    expect(await t.connection.request("environment/status")).toEqual({
      id: 2,
      method: "environment/status",
      params: null,
    });
  });

  it("reject with the server's error, and others are unaffected", async () => {
    await using t = await connected(({ id }) => {
      if (id === 2) throw new ServerError("boom", { rpcCode: -32603, data: { a: 1 } });
      return { status: "ready" };
    });
    expect(await failureOf(t.client.status())).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32603,
      data: { a: 1 },
      delivery: "answered",
      sessionId: "session-1",
    });
    expect(await t.client.status()).toEqual({ status: "ready" });
  });

  it.each([
    ["a result of the wrong shape", { result: { status: 5 } }],
    ["a null result", { result: null }],
    ["neither result nor error", {}],
    ["an error that is a string", { error: "boom" }],
  ])("reject when the response has %s, and others are unaffected", async (_, answer) => {
    await using t = await connected(({ id }, connection) => {
      if (id !== 2) return { status: "ready" };
      connection.send({ id, ...answer });
      return silence;
    });
    expect(await failureOf(t.client.status())).toMatchObject({ code: "ERR_PROTOCOL", delivery: "answered" });
    expect(await t.client.status()).toEqual({ status: "ready" });
  });

  it("ignore responses to ids that are unknown or already answered", async () => {
    await using t = await connected((request, connection) => {
      connection.send({ id: 999, result: {} });
      connection.send({ id: "2", result: {} });
      connection.send({ id: -1, result: {} });
      connection.answer(request, { status: "first" });
      connection.answer(request, { status: "second" });
      return silence;
    });
    expect(await t.client.status()).toEqual({ status: "first" });
    expect(await t.client.status()).toEqual({ status: "first" });
  });

  it("keep unknown members of a result", async () => {
    await using t = await connected(() => ({ status: "ready", since: 1 }));
    expect(await t.client.status()).toEqual({ status: "ready", since: 1 });
  });

  it("treat -32000 like any other server error", async () => {
    await using t = await connected(() => {
      throw new ServerError("busy", { rpcCode: -32000 });
    });
    expect(await failureOf(t.client.status())).toMatchObject({ code: "ERR_SERVER", rpcCode: -32000 });
    expect(t.client.isDisconnected).toBe(false);
  });
});

describe("messages from the server", () => {
  it("are ignored when they are unknown notifications", async () => {
    await using t = await connected((_, connection) => {
      connection.notify("weather/changed", { sunny: true });
      connection.notify("toString", {});
      return { status: "ready" };
    });
    expect(await t.client.status()).toEqual({ status: "ready" });
  });

  it("are answered when they are requests: a policy request with a denial, any other with -32601", async () => {
    await using t = await connected((_, connection) => {
      connection.send({ id: "q1", method: "network/policyRequest", params: {} });
      connection.send({ id: 77, method: "client/dance" });
      return { status: "ready" };
    });
    // The second request arrives after the answers to the server's two requests.
    await t.client.status();
    await t.client.status();
    const answers = t.connection.received.filter(({ method }) => method === undefined);
    expect(answers).toContainEqual({
      id: "q1",
      result: { decision: { type: "deny", reason: "not_allowed" } },
    });
    expect(answers).toContainEqual({ id: 77, error: { code: -32601, message: expect.any(String) } });
  });

  it.each([
    ["not JSON", "}{"],
    ["an array", "[]"],
    ["a string", '"hi"'],
    ["neither a request nor a response", "{}"],
    ["a request with an invalid id", '{"id":{},"method":"x"}'],
    ["nested 100,000 levels deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["a process notification without a process id", '{"method":"process/closed","params":{"seq":1}}'],
  ])("end the connection and reject every call when a frame is %s", async (_, frame) => {
    await using t = await connected();
    const pending = [failureOf(t.client.status()), failureOf(t.client.status())];
    await t.connection.request("environment/status", 2);
    t.connection.send(frame);
    const failure = await t.client.disconnected;
    expect(failure).toMatchObject({ code: "ERR_DISCONNECTED", cause: { code: "ERR_PROTOCOL" } });
    for (const error of await Promise.all(pending)) {
      expect(error).toMatchObject({ message: `status: ${failure.message}`, delivery: "unknown" });
    }
    expect(await failureOf(t.client.status())).toMatchObject({
      message: `status: ${failure.message}`,
      delivery: "not-sent",
    });
  });
});

describe("the end of the connection", () => {
  it("keeps a response that was received before it", async () => {
    await using t = await connected((request, connection) => {
      connection.answer(request, { status: "ready" });
      connection.close();
      return silence;
    });
    expect(await t.client.status()).toEqual({ status: "ready" });
    await t.client.disconnected;
  });

  it("rejects 50 calls in flight with one message, and later calls unsent", async () => {
    await using t = await connected();
    const calls = Array.from({ length: 50 }, () => failureOf(t.client.status()));
    await t.connection.request("environment/status", 50);
    t.connection.drop();
    const failure = await t.client.disconnected;
    expect(failure).toMatchObject({ code: "ERR_DISCONNECTED", closeCode: 1006, sessionId: "session-1" });
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ message: `status: ${failure.message}`, delivery: "unknown" });
    }
    const sent = t.connection.received.length;
    expect(await failureOf(t.client.status())).toMatchObject({
      message: `status: ${failure.message}`,
      delivery: "not-sent",
    });
    expect(t.connection.received).toHaveLength(sent);
  });

  it("rejects queued calls with the delivery not-sent", async () => {
    await using t = await connected();
    const calls = Array.from({ length: 300 }, () => failureOf(t.client.status()));
    await t.connection.request("environment/status", 128);
    t.connection.drop();
    const deliveries = (await Promise.all(calls)).map((error) => (error as { delivery: string }).delivery);
    expect(deliveries.slice(0, 128)).toEqual(Array(128).fill("unknown"));
    expect(deliveries.slice(128)).toEqual(Array(172).fill("not-sent"));
  });

  it("rejects pending calls with a ClosedError when this side closes", async () => {
    await using t = await connected();
    const pending = failureOf(t.client.status());
    await t.connection.request("environment/status");
    await t.client.close();
    expect(await pending).toMatchObject({ code: "ERR_CLOSED", delivery: "unknown" });
    expect(t.client.isDisconnected).toBe(true);
    expect(await t.client.disconnected).toMatchObject({ code: "ERR_CLOSED" });
  });

  it("reports the reason that the server sends", async () => {
    await using t = await connected();
    t.connection.close(4001, "maintenance");
    expect(await t.client.disconnected).toMatchObject({ reason: "maintenance", closeCode: 4001 });
  });
});
