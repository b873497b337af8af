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

function ask(lazy: LazyExecServerClient, callers: number): Promise<ExecServerClient[]> {
  return Promise.all(Array.from({ length: callers }, () => lazy.get()));
}

describe("with the real server killed mid-session", () => {
  it("500 callers share exactly one dial and one new session, 50 times in a row", async () => {
    await using it = await setUp();
    const sessions = new Set<string>();
    let client = await it.lazy.get();
    sessions.add(client.sessionId);
    for (let round = 1; round <= 50; round++) {
      const process = await it.lazy.start(["sleep", "5"]);
      await it.server.kill("SIGKILL");
      expect(await client.disconnected).toMatchObject({ code: "ERR_DISCONNECTED", closeCode: 1006 });
      expect(await failureOf(process.closed)).toMatchObject({
        code: "ERR_DISCONNECTED",
        sessionId: client.sessionId,
      });
      expect(it.transport.dials).toBe(round);
      await it.server.restart();

      const clients = await ask(it.lazy, 500);
      expect(new Set(clients).size).toBe(1);
      expect(clients[0]).not.toBe(client);
      client = clients[0] as ExecServerClient;
      sessions.add(client.sessionId);
      expect(it.transport.dials).toBe(round + 1);
      expect(sessions.size).toBe(round + 1);
    }
    expect(await it.lazy.status()).toEqual({ status: "ready" });
  });

  it("a server that is down costs 20 callers one dial and one error; the next get() after its return works", async () => {
    await using it = await setUp();
    const before = await it.lazy.get();
    await it.server.kill();
    await before.disconnected;
    const reasons = await Promise.all(Array.from({ length: 20 }, () => failureOf(it.lazy.get())));
    expect(new Set(reasons).size).toBe(1);
    expect(reasons[0]).toMatchObject({ code: "ERR_CONNECT", phase: "dial", delivery: "not-sent" });
    expect(it.transport.dials).toBe(2);
    await it.server.restart();
    const after = await it.lazy.get();
    expect(after.sessionId).not.toBe(before.sessionId);
    expect(it.transport.dials).toBe(3);
  });

  it("an old handle fails on its own connection and is never bound to the new one", async () => {
    await using it = await setUp();
    const old = await it.lazy.start(["cat"], { stdin: "pipe", processId: "the-one" });
    await it.server.kill();
    const lost = await failureOf(old.closed);
    await it.server.restart();

    const fresh = await it.lazy.start(["cat"], { stdin: "pipe", processId: "the-one" });
    expect(fresh.sessionId).not.toBe(old.sessionId);
    expect(await failureOf(old.write("into the void"))).toMatchObject({ sessionId: old.sessionId });
    expect(await failureOf(old.terminate())).toMatchObject({
      code: "ERR_DISCONNECTED",
      delivery: "not-sent",
      message: (lost as Error).message,
    });
    await fresh.write("hello\n");
    const { value } = await fresh[Symbol.asyncIterator]().next();
    expect(new TextDecoder().decode(value?.chunk)).toBe("hello\n");
    await fresh.terminate();
  });

  it("also when it ends with SIGTERM", async () => {
    await using it = await setUp();
    const before = await it.lazy.get();
    await it.server.kill("SIGTERM");
    expect(await before.disconnected).toMatchObject({ code: "ERR_DISCONNECTED" });
    await it.server.restart();
    expect((await it.lazy.get()).sessionId).not.toBe(before.sessionId);
  });
});
