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

describe("TestServer without handlers", () => {
  it("answers initialize, environment/status and environment/info", async () => {
    await using t = await connected({ environmentInfo: { userHomeDir: "file:///home/me" } });
    expect(t.client.sessionId).toBe("session-1");
    expect(await t.client.status()).toEqual({ status: "ready" });
    expect(await t.client.info()).toMatchObject({
      cwd: "/work",
      userHomeDir: "/home/me",
      platformOs: "linux",
    });
  });

  it("rejects an unknown method with an error that shows how to handle it", async () => {
    await using t = await connected();
    expect(await failureOf(t.client.call("weather/get", {}))).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32601,
      kind: "unsupported",
      message: expect.stringContaining('server.handle("weather/get", (request) => result)'),
    });
  });

  it('does not respond to an unknown method with unhandled: "ignore"', async () => {
    await using t = await connected({ unhandled: "ignore" });
    expect(await failureOf(t.client.call("weather/get", {}, { timeoutMs: 20 }))).toMatchObject({
      code: "ERR_TIMEOUT",
    });
  });
});

describe("handle()", () => {
  it("adds a handler typed by its method, which answers until it is removed", async () => {
    await using t = await connected();
    const restore = t.server.handle("fs/readFile", (request, connection) => {
      expectTypeOf(request.params.path).toEqualTypeOf<string>();
      return { dataBase64: btoa(`${request.params.path} on ${connection.sessionId}`) };
    });
    const read = () => t.client.call("fs/readFile", { path: "file:///a", sandbox: null });
    expect(await read()).toEqual({ dataBase64: btoa("file:///a on session-1") });
    const restoreOther = t.server.handle("fs/readFile", async () => ({ dataBase64: "" }));
    expect(await read()).toEqual({ dataBase64: "" });
    restore();
    expect(await read()).toEqual({ dataBase64: "" });
    restoreOther();
    expect(await failureOf(read())).toMatchObject({ kind: "not-found" });
  });

  it("rejects results of the wrong type at compile time", () => {
    const server = new TestServer();
    // @ts-expect-error the result has no status
    server.handle("environment/status", () => ({}));
    // @ts-expect-error the handler returns nothing
    server.handle("environment/status", () => {});
    server.handle("environment/status", () => silence);
    server.handle("weather/get", (request) => request.params);
  });

  it("can override the response to initialize", async () => {
    const server = new TestServer();
    server.handle("initialize", () => ({ sessionId: "custom" }));
    await using client = await ExecServerClient.connect({ transport: server.transport });
    expect(client.sessionId).toBe("custom");
  });

  it("responds with the ServerError that a handler throws or rejects with", async () => {
    await using t = await connected();
    const busy = new ServerError("busy", { rpcCode: -32050, data: { retry: true } });
    t.server.handle("environment/status", () => {
      throw busy;
    });
    t.server.handle("environment/info", () => Promise.reject(busy));
    for (const call of [t.client.status(), t.client.info()]) {
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
    ["rejects with a string", () => Promise.reject("JSON") as never],
    ["rejects with undefined", () => Promise.reject() as never],
    ["returns nothing", () => undefined as never],
    ["returns what JSON can't hold", () => ({ status: 1n }) as never],
    ["resolves with what JSON can't hold", () => Promise.resolve({ status: 1n }) as never],
    [
      "throws a ServerError with data that JSON can't hold",
      () => {
        throw new ServerError("busy", { rpcCode: -32050, data: 1n });
      },
    ],
  ])("responds with an internal error if a handler %s", async (_, handler) => {
    await using t = await connected();
    t.server.handle("environment/status", handler);
    expect(await failureOf(t.client.status())).toMatchObject({
      rpcCode: -32603,
      message: expect.stringMatching(
        /the test's handler of environment\/status failed: .*(JSON|nothing|undefined|serialize a BigInt)/,
      ),
    });
  });

  it("sends no response for silence, and ignores the result of a handler that has answered", async () => {
    await using t = await connected();
    t.server.handle("environment/status", () => silence);
    expect(await failureOf(t.client.status({ timeoutMs: 20 }))).toMatchObject({ code: "ERR_TIMEOUT" });
    t.server.handle("environment/status", (request, connection) => {
      connection.answer(request, { status: "by answer()" });
      return { status: "by return" };
    });
    expect(await t.client.status()).toEqual({ status: "by answer()" });
    expect(await t.client.status()).toEqual({ status: "by answer()" });
  });
});

describe("hold()", () => {
  it("keeps requests pending, then passes them to their handler in order", async () => {
    await using t = await connected();
    const order: number[] = [];
    t.server.handle("count", ({ params }) => {
      order.push(params as number);
      return params;
    });
    const release = t.server.hold("count");
    const calls = [1, 2, 3].map((n) => t.client.call("count", n));
    expect(await t.client.status()).toEqual({ status: "ready" });
    expect(order).toEqual([]);
    release();
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
    expect(order).toEqual([1, 2, 3]);
    expect(await t.client.call("count", 4)).toBe(4);
  });

  it("lets the test answer or refuse the pending requests", async () => {
    await using t = await connected();
    let handled = 0;
    t.server.handle("environment/status", () => ({ status: `handled ${++handled}` }));
    const release = t.server.hold("environment/status");
    const [answered, refused] = [t.client.status(), failureOf(t.client.status())];
    const first = await t.connection.request("environment/status");
    t.connection.refuse(await t.connection.request("environment/status", 2), -32000, "busy", [1]);
    t.connection.answer(first, { status: "by answer()" });
    expect(await answered).toEqual({ status: "by answer()" });
    expect(await refused).toMatchObject({ rpcCode: -32000, data: [1] });
    release();
    expect(await t.client.status()).toEqual({ status: "handled 1" });
  });

  it.each([
    [0, 1],
    [1, 0],
  ])("keeps requests pending until hold %i and then hold %i are released", async (first, second) => {
    await using t = await connected();
    const holds = [t.server.hold("environment/status"), t.server.hold("environment/status")];
    let isAnswered = false;
    const call = t.client.status().finally(() => {
      isAnswered = true;
    });
    await t.connection.request("environment/status");
    holds[first]?.();
    // A response to the status request would arrive before this one.
    await t.client.info();
    expect(isAnswered).toBe(false);
    holds[second]?.();
    expect(await call).toEqual({ status: "ready" });
  });
});

describe("received messages", () => {
  it("are recorded by each connection, and requests are counted by the server", async () => {
    await using t = await connected();
    await t.client.status();
    const other = await ExecServerClient.connect({ transport: t.server.transport, clientName: "other" });
    await other.status();
    await other.close();
    const methods = (messages: readonly ReceivedMessage[]) => messages.map(({ method }) => method);
    expect(methods(t.connection.received)).toEqual(["initialize", "initialized", "environment/status"]);
    expect(t.server.requests("environment/status")).toHaveLength(2);
    expect(t.server.requests("initialize")[1]?.params.clientName).toBe("other");
    expect(t.server.requests("weather/get")).toEqual([]);
  });

  it("can be awaited by number until the connection ends", async () => {
    await using t = await connected();
    const second = t.connection.request("environment/status", 2);
    await t.client.status();
    await t.client.status();
    expect(await second).toEqual({ id: 3, method: "environment/status", params: null });
    const never = failureOf(t.connection.request("environment/status", 3));
    await t.client.close();
    expect(await never).toMatchObject({ message: "The connection of session-1 has ended" });
    expect(await t.connection.request("environment/status", 2)).toMatchObject({ id: 3 });
    expect(await t.connection.ended).toEqual({ closeCode: 1000, reason: "" });
    expect(t.connection.isOpen).toBe(false);
  });

  it("are answered as the real server does if they are not JSON-RPC", async () => {
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

  it("resolves with the client's response to a request of the server", async () => {
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

  it("rejects if the connection ends or has already ended", async () => {
    await using t = await connected();
    await t.client.status();
    t.connection.freeze();
    const asked = failureOf(t.connection.ask("network/policyRequest", params));
    t.connection.drop();
    expect(await asked).toMatchObject({ message: "The connection of session-1 has ended" });
    expect(await failureOf(t.connection.ask("network/policyRequest", params))).toBeInstanceOf(Error);
  });
});
