import { describe, expect, it } from "vitest";
import { type ClientState, ExecServerClient, LazyExecServerClient, webSocket } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { dropsHandshake, SocketServer } from "../support/scripted-server.ts";

async function setUp() {
  const server = await SocketServer.start();
  const lazy = new LazyExecServerClient({ transport: webSocket(server.url) });
  return {
    server,
    lazy,
    /** Calls the callback once, when the client changes to this state. */
    on(wanted: ClientState, callback: () => void) {
      const stop = lazy.onStateChange(({ state }) => {
        if (state !== wanted) return;
        stop();
        callback();
      });
    },
    async [Symbol.asyncDispose]() {
      await lazy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("a listener of state changes", () => {
  it("that calls get() on connecting joins that attempt", async () => {
    await using t = await setUp();
    const clients: Promise<ExecServerClient>[] = [];
    t.on("connecting", () => clients.push(t.lazy.get()));
    const client = await t.lazy.get();
    expect(await Promise.all(clients)).toEqual([client]);
    expect(t.server.connections).toHaveLength(1);
  });

  it("that calls get() on a loss that get() noticed joins the attempt of that get()", async () => {
    await using t = await setUp();
    const old = await t.lazy.get();
    const clients: Promise<ExecServerClient>[] = [];
    t.on("disconnected", () => clients.push(t.lazy.get()));
    const closing = old.close();
    const client = await t.lazy.get();
    expect(await Promise.all(clients)).toEqual([client]);
    expect(t.server.connections).toHaveLength(2);
    await closing;
  });

  it("that calls get() after a failed attempt starts a new one", async () => {
    await using t = await setUp();
    const recover = dropsHandshake(t.server);
    const clients: Promise<ExecServerClient>[] = [];
    t.on("idle", () => {
      recover();
      clients.push(t.lazy.get());
    });
    await failureOf(t.lazy.get());
    expect((await clients[0])?.sessionId).toBe("session-2");
  });

  it.each(["connecting", "connected"] as const)(
    "may close the client on %s: the pending get() rejects with the ClosedError",
    async (state) => {
      await using t = await setUp();
      t.on(state, () => void t.lazy.close());
      expect(await failureOf(t.lazy.get())).toMatchObject({ code: "ERR_CLOSED", delivery: "not-sent" });
      expect(t.lazy.state).toBe("closed");
    },
  );

  it("may abort the last wait on connected: the client stays connected, and its loss is notified", async () => {
    await using t = await setUp();
    const controller = new AbortController();
    t.on("connected", () => controller.abort("enough"));
    await t.lazy.get({ signal: controller.signal }).catch(() => {});
    const client = await t.lazy.get();
    expect(t.lazy.state).toBe("connected");
    const lost = new Promise<void>((resolve) => t.on("disconnected", resolve));
    t.server.connections.at(-1)?.drop();
    await client.disconnected;
    await lost;
  });

  it("may abort the last wait on connecting: the attempt is abandoned, and the next get() connects", async () => {
    await using t = await setUp();
    const controller = new AbortController();
    t.on("connecting", () => controller.abort("enough"));
    expect(await failureOf(t.lazy.get({ signal: controller.signal }))).toBe("enough");
    expect((await t.lazy.get()).isDisconnected).toBe(false);
  });

  it("that calls get() on connecting and aborts it does not affect the first caller", async () => {
    await using t = await setUp();
    const failures: Promise<unknown>[] = [];
    t.on("connecting", () => {
      const controller = new AbortController();
      failures.push(failureOf(t.lazy.get({ signal: controller.signal })));
      controller.abort("enough");
    });
    expect((await t.lazy.get()).isDisconnected).toBe(false);
    expect(await Promise.all(failures)).toEqual(["enough"]);
  });

  it("that is async and rejects causes no unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    await using t = await setUp();
    t.lazy.onStateChange((async () => {
      throw new Error("listener");
    }) as () => void);
    await t.lazy.get();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
  });
});

describe("a target function", () => {
  it("may close the client: the pending get() rejects", async () => {
    await using server = await SocketServer.start();
    const lazy: LazyExecServerClient = new LazyExecServerClient({
      transport: webSocket(() => {
        void lazy.close();
        return server.url;
      }),
    });
    expect(await failureOf(lazy.get())).toMatchObject({ code: "ERR_CLOSED" });
  });

  it("may call get() when its attempt is abandoned: the state is that of the new attempt", async () => {
    await using server = await SocketServer.start();
    const clients: Promise<ExecServerClient>[] = [];
    let dials = 0;
    const lazy: LazyExecServerClient = new LazyExecServerClient({
      transport: webSocket(({ signal }) => {
        if (++dials > 1) return server.url;
        signal.addEventListener("abort", () => clients.push(lazy.get()));
        return new Promise<never>(() => {});
      }),
    });
    await using _closing = lazy;
    const controller = new AbortController();
    const aborted = failureOf(lazy.get({ signal: controller.signal }));
    controller.abort("enough");
    expect(lazy.state).toBe("connecting");
    expect(await aborted).toBe("enough");
    await Promise.all(clients);
    expect(lazy.state).toBe("connected");
  });
});

describe("user code inside a request", () => {
  it("that closes the client rejects the call", async () => {
    await using server = await SocketServer.start();
    let isReady = false;
    const client: ExecServerClient = await ExecServerClient.connect({
      transport: webSocket(server.url),
      traceContext: () => {
        if (isReady) void client.close();
        return undefined;
      },
    });
    isReady = true;
    expect(await failureOf(client.status())).toMatchObject({ code: "ERR_CLOSED", delivery: "not-sent" });
  });

  it("that sends another request gets another id", async () => {
    await using server = await SocketServer.start();
    for (const method of ["environment/status", "x"]) {
      server.handle(method, ({ id }) => ({ status: String(id) }));
    }
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    const inner: Promise<unknown>[] = [];
    const outer = client.call("x", {
      toJSON() {
        inner.push(client.status());
        return {};
      },
    });
    expect(new Set([await outer, await inner[0]].map((answer) => JSON.stringify(answer))).size).toBe(2);
  });
});
