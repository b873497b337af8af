import { describe, expect, it } from "vitest";
import { type ExecServerClient, LazyExecServerClient, type Transport, webSocket } from "../../src/index.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";

/** The real server behind a transport that counts its dials. */
async function setUp() {
  const server = await ExecServer.start();
  const socket = webSocket(server.url);
  const transport = {
    dials: 0,
    reconnectable: true,
    connect(context: Parameters<Transport["connect"]>[0]) {
      this.dials++;
      return socket.connect(context);
    },
  };
  const lazy = new LazyExecServerClient({ transport });
  return {
    server,
    transport,
    lazy,
    async [Symbol.asyncDispose]() {
      await lazy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function getConcurrently(lazy: LazyExecServerClient, callers: number): Promise<ExecServerClient[]> {
  return Promise.all(Array.from({ length: callers }, () => lazy.get()));
}

describe("after the real server was killed", () => {
  it("gives 500 callers one dial and one new session, 50 times in a row", async () => {
    await using t = await setUp();
    const sessions = new Set<string>();
    let client = await t.lazy.get();
    sessions.add(client.sessionId);
    for (let round = 1; round <= 50; round++) {
      const process = await t.lazy.start(["sleep", "5"]);
      await t.server.kill("SIGKILL");
      expect(await client.disconnected).toMatchObject({ code: "ERR_DISCONNECTED", closeCode: 1006 });
      expect(await failureOf(process.closed)).toMatchObject({
        code: "ERR_DISCONNECTED",
        sessionId: client.sessionId,
      });
      expect(t.transport.dials).toBe(round);
      await t.server.restart();

      const clients = await getConcurrently(t.lazy, 500);
      expect(new Set(clients).size).toBe(1);
      expect(clients[0]).not.toBe(client);
      client = clients[0] as ExecServerClient;
      sessions.add(client.sessionId);
      expect(t.transport.dials).toBe(round + 1);
      expect(sessions.size).toBe(round + 1);
    }
    expect(await t.lazy.status()).toEqual({ status: "ready" });
  });

  it("rejects 20 callers with one error after one dial, and connects on the next get() after the restart", async () => {
    await using t = await setUp();
    const before = await t.lazy.get();
    await t.server.kill();
    await before.disconnected;
    const reasons = await Promise.all(Array.from({ length: 20 }, () => failureOf(t.lazy.get())));
    expect(new Set(reasons).size).toBe(1);
    expect(reasons[0]).toMatchObject({ code: "ERR_CONNECT", phase: "dial", delivery: "not-sent" });
    expect(t.transport.dials).toBe(2);
    await t.server.restart();
    const after = await t.lazy.get();
    expect(after.sessionId).not.toBe(before.sessionId);
    expect(t.transport.dials).toBe(3);
  });

  it("rejects calls of an old process handle, and never binds it to the new connection", async () => {
    await using t = await setUp();
    const old = await t.lazy.start(["cat"], { stdin: "pipe", processId: "p1" });
    await t.server.kill();
    const lost = await failureOf(old.closed);
    await t.server.restart();

    const fresh = await t.lazy.start(["cat"], { stdin: "pipe", processId: "p1" });
    expect(fresh.sessionId).not.toBe(old.sessionId);
    expect(await failureOf(old.write("lost"))).toMatchObject({ sessionId: old.sessionId });
    expect(await failureOf(old.terminate())).toMatchObject({
      code: "ERR_DISCONNECTED",
      delivery: "not-sent",
      message: `terminate 'cat': ${(lost as Error).message}`,
    });
    await fresh.write("hello\n");
    const { value } = await fresh[Symbol.asyncIterator]().next();
    expect(new TextDecoder().decode(value?.chunk)).toBe("hello\n");
    await fresh.terminate();
  });

  it("makes a new session after SIGTERM, too", async () => {
    await using t = await setUp();
    const before = await t.lazy.get();
    await t.server.kill("SIGTERM");
    expect(await before.disconnected).toMatchObject({ code: "ERR_DISCONNECTED" });
    await t.server.restart();
    expect((await t.lazy.get()).sessionId).not.toBe(before.sessionId);
  });
});
