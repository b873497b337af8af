import { describe, expect, expectTypeOf, it } from "vitest";
import { ExecServerClient, ServerError } from "../../src/index.ts";
import { type ReceivedMessage, silence, TestServer, type TestServerOptions } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";

async function connected(options: TestServerOptions = {}) {
  const server = new TestServer(options);
  const client = await ExecServerClient.connect({ transport: server.transport });
  return {
    server,
    client,
    connection: await server.connection(),
    async [Symbol.asyncDispose]() {
      await client.close();
      server.close();
    },
  };
}

describe("a server that was told nothing", () => {
  it("shakes hands, is ready, and tells of its machine", async () => {
    await using it = await connected({ environmentInfo: { userHomeDir: "file:///home/me" } });
    expect(it.client.sessionId).toBe("session-1");
    expect(await it.client.status()).toEqual({ status: "ready" });
    expect(await it.client.info()).toMatchObject({
      cwd: "/work",
      userHomeDir: "/home/me",
      platformOs: "linux",
    });
  });

  it("refuses what it does not know, and says how to make it known", async () => {
    await using it = await connected();
    expect(await failureOf(it.client.call("weather/get", {}))).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32601,
      kind: "unsupported",
      message: expect.stringContaining('server.handle("weather/get", (request) => result)'),
    });
  });

  it("says nothing to what it does not know if that is wanted", async () => {
    await using it = await connected({ unhandled: "ignore" });
    expect(await failureOf(it.client.call("weather/get", {}, { timeoutMs: 20 }))).toMatchObject({
      code: "ERR_TIMEOUT",
    });
  });
});

describe("a handler", () => {
  it("answers, typed by its method, until it is taken away", async () => {
    await using it = await connected();
    const restore = it.server.handle("fs/readFile", (request, connection) => {
      expectTypeOf(request.params.path).toEqualTypeOf<string>();
      return { dataBase64: btoa(`${request.params.path} on ${connection.sessionId}`) };
    });
    const read = () => it.client.call("fs/readFile", { path: "file:///a", sandbox: null });
    expect(await read()).toEqual({ dataBase64: btoa("file:///a on session-1") });
    const restoreOther = it.server.handle("fs/readFile", async () => ({ dataBase64: "" }));
    expect(await read()).toEqual({ dataBase64: "" });
    restore();
    expect(await read()).toEqual({ dataBase64: "" });
    restoreOther();
    expect(await failureOf(read())).toMatchObject({ kind: "not-found" });
  });

  it("is refused results of the wrong shape by the compiler", () => {
    const server = new TestServer();
    // @ts-expect-error a status has a word
    server.handle("environment/status", () => ({}));
    // @ts-expect-error it returned nothing
    server.handle("environment/status", () => {});
    server.handle("environment/status", () => silence);
    server.handle("weather/get", (request) => request.params);
  });

  it("may answer the handshake", async () => {
    const server = new TestServer();
    server.handle("initialize", () => ({ sessionId: "mine" }));
    await using client = await ExecServerClient.connect({ transport: server.transport });
    expect(client.sessionId).toBe("mine");
  });

  it("rejects with the ServerError it throws, or rejects with", async () => {
    await using it = await connected();
    const busy = new ServerError("busy", { rpcCode: -32050, data: { retry: true } });
    it.server.handle("environment/status", () => {
      throw busy;
    });
    it.server.handle("environment/info", () => Promise.reject(busy));
    for (const call of [it.client.status(), it.client.info()]) {
      expect(await failureOf(call)).toMatchObject({
        code: "ERR_SERVER",
        rpcCode: -32050,
        data: { retry: true },
        message: expect.stringContaining("busy"),
      });
    }
  });

  it.each<[string, () => never]>([
    ["throws", () => JSON.parse("{") as never],
    ["throws no Error", () => Promise.reject("JSON") as never],
    ["throws nothing", () => Promise.reject() as never],
    ["returns nothing", () => undefined as never],
  ])("that %s is an internal error in the answer, not a test that hangs", async (_, handler) => {
    await using it = await connected();
    it.server.handle("environment/status", handler);
    expect(await failureOf(it.client.status())).toMatchObject({
      rpcCode: -32603,
      message: expect.stringMatching(
        /the test's handler of environment\/status failed: .*(JSON|nothing|undefined)/,
      ),
    });
  });

  it("may stay silent, or answer by itself: its result is then nobody's", async () => {
    await using it = await connected();
    it.server.handle("environment/status", () => silence);
    expect(await failureOf(it.client.status({ timeoutMs: 20 }))).toMatchObject({ code: "ERR_TIMEOUT" });
    it.server.handle("environment/status", (request, connection) => {
      connection.answer(request, { status: "by hand" });
      return { status: "by return" };
    });
    expect(await it.client.status()).toEqual({ status: "by hand" });
    expect(await it.client.status()).toEqual({ status: "by hand" });
  });
});

describe("hold()", () => {
  it("lets requests wait, and go to their handler in order", async () => {
    await using it = await connected();
    const order: number[] = [];
    it.server.handle("count", ({ params }) => {
      order.push(params as number);
      return params;
    });
    const letGo = it.server.hold("count");
    const calls = [1, 2, 3].map((n) => it.client.call("count", n));
    expect(await it.client.status()).toEqual({ status: "ready" });
    expect(order).toEqual([]);
    letGo();
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
    expect(order).toEqual([1, 2, 3]);
    expect(await it.client.call("count", 4)).toBe(4);
  });

  it("leaves the requests to the test, which may answer or refuse them by hand", async () => {
    await using it = await connected();
    let handled = 0;
    it.server.handle("environment/status", () => ({ status: `handled ${++handled}` }));
    const letGo = it.server.hold("environment/status");
    const [answered, refused] = [it.client.status(), failureOf(it.client.status())];
    const first = await it.connection.request("environment/status");
    it.connection.refuse(await it.connection.request("environment/status", 2), -32000, "busy", [1]);
    it.connection.answer(first, { status: "by hand" });
    expect(await answered).toEqual({ status: "by hand" });
    expect(await refused).toMatchObject({ rpcCode: -32000, data: [1] });
    letGo();
    expect(await it.client.status()).toEqual({ status: "handled 1" });
  });

  it.each([
    [0, 1],
    [1, 0],
  ])("holds until everyone who holds lets go, the %i. before the %i.", async (first, second) => {
    await using it = await connected();
    const holds = [it.server.hold("environment/status"), it.server.hold("environment/status")];
    let isAnswered = false;
    const call = it.client.status().finally(() => {
      isAnswered = true;
    });
    await it.connection.request("environment/status");
    holds[first]?.();
    // Answered behind it, if that was answered.
    await it.client.info();
    expect(isAnswered).toBe(false);
    holds[second]?.();
    expect(await call).toEqual({ status: "ready" });
  });
});

describe("what an app has sent", () => {
  it("is kept, all of it by connection, and the requests of a method by the server", async () => {
    await using it = await connected();
    await it.client.status();
    const other = await ExecServerClient.connect({ transport: it.server.transport, clientName: "other" });
    await other.status();
    await other.close();
    const methods = (messages: readonly ReceivedMessage[]) => messages.map(({ method }) => method);
    expect(methods(it.connection.received)).toEqual(["initialize", "initialized", "environment/status"]);
    expect(it.server.requests("environment/status")).toHaveLength(2);
    expect(it.server.requests("initialize")[1]?.params.clientName).toBe("other");
    expect(it.server.requests("weather/get")).toEqual([]);
  });

  it("is awaited, n-th by n-th, for as long as the connection lives", async () => {
    await using it = await connected();
    const second = it.connection.request("environment/status", 2);
    await it.client.status();
    await it.client.status();
    expect(await second).toEqual({ id: 3, method: "environment/status", params: null });
    const never = failureOf(it.connection.request("environment/status", 3));
    await it.client.close();
    expect(await never).toMatchObject({ message: "The connection of session-1 has ended" });
    expect(await it.connection.request("environment/status", 2)).toMatchObject({ id: 3 });
    expect(await it.connection.ended).toEqual({ closeCode: 1000, reason: "" });
    expect(it.connection.isOpen).toBe(false);
  });

  it("that is no message is answered as by a real server", async () => {
    await using server = new TestServer();
    const raw = await server.transport.connect({ signal: new AbortController().signal });
    const answers: string[] = [];
    const answered = new Promise<void>((resolve) => {
      raw.start({
        onFrame: (frame) => {
          if (answers.push(String(frame)) === 2) resolve();
        },
        onEnd() {},
      });
    });
    raw.send("}{");
    raw.send("5");
    await answered;
    for (const answer of answers)
      expect(JSON.parse(answer)).toMatchObject({ id: -1, error: { code: -32600 } });
    await raw.close();
  });
});

describe("ask()", () => {
  const params = { processId: "p", request: { protocol: "https_connect", host: "a.test", port: 443 } };

  it("resolves with the client's answer to a request of the server's", async () => {
    await using server = new TestServer();
    await using client = await ExecServerClient.connect({
      transport: server.transport,
      onNetworkPolicyRequest: ({ host }) => (host === "a.test" ? "allow" : "deny"),
    });
    const connection = await server.connection();
    await client.status();
    expect(await connection.ask("network/policyRequest", params)).toEqual({ decision: { type: "allow" } });
    expect(await failureOf(connection.ask("weather/ask", {}))).toMatchObject({
      message: expect.stringContaining("-32601"),
    });
  });

  it("rejects when the connection ends, or has ended", async () => {
    await using it = await connected();
    await it.client.status();
    it.connection.freeze();
    const asked = failureOf(it.connection.ask("network/policyRequest", params));
    it.connection.drop();
    expect(await asked).toMatchObject({ message: "The connection of session-1 has ended" });
    expect(await failureOf(it.connection.ask("network/policyRequest", params))).toBeInstanceOf(Error);
  });
});
