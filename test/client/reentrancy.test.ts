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
    /** Does something once, when a state is told. */
    on(wanted: ClientState, act: () => void) {
      const stop = lazy.onStateChange(({ state }) => {
        if (state !== wanted) return;
        stop();
        act();
      });
    },
    async [Symbol.asyncDispose]() {
      await lazy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("a listener of state changes", () => {
  it("that asks for the client joins the attempt it was told of", async () => {
    await using it = await setUp();
    const asked: Promise<ExecServerClient>[] = [];
    it.on("connecting", () => asked.push(it.lazy.get()));
    const client = await it.lazy.get();
    expect(await Promise.all(asked)).toEqual([client]);
    expect(it.server.connections).toHaveLength(1);
  });

  it("that asks on a loss noticed by asking joins that attempt", async () => {
    await using it = await setUp();
    const old = await it.lazy.get();
    const asked: Promise<ExecServerClient>[] = [];
    it.on("disconnected", () => asked.push(it.lazy.get()));
    const closing = old.close();
    const client = await it.lazy.get();
    expect(await Promise.all(asked)).toEqual([client]);
    expect(it.server.connections).toHaveLength(2);
    await closing;
  });

  it("that asks when told of a failed attempt starts a new one", async () => {
    await using it = await setUp();
    const recover = dropsHandshake(it.server);
    const asked: Promise<ExecServerClient>[] = [];
    it.on("idle", () => {
      recover();
      asked.push(it.lazy.get());
    });
    await failureOf(it.lazy.get());
    expect((await asked[0])?.sessionId).toBe("session-2");
  });

  it.each(["connecting", "connected"] as const)(
    "may close the client on %s: who waits gets the ClosedError",
    async (state) => {
      await using it = await setUp();
      it.on(state, () => void it.lazy.close());
      expect(await failureOf(it.lazy.get())).toMatchObject({ code: "ERR_CLOSED", delivery: "not-sent" });
      expect(it.lazy.state).toBe("closed");
    },
  );

  it("may abort the last wait on connected: the client lives on, and its loss is told", async () => {
    await using it = await setUp();
    const controller = new AbortController();
    it.on("connected", () => controller.abort("enough"));
    await it.lazy.get({ signal: controller.signal }).catch(() => {});
    const client = await it.lazy.get();
    expect(it.lazy.state).toBe("connected");
    const lost = new Promise<void>((resolve) => it.on("disconnected", resolve));
    it.server.connections.at(-1)?.drop();
    await client.disconnected;
    await lost;
  });

  it("may abort the last wait on connecting: nothing is left of the attempt", async () => {
    await using it = await setUp();
    const controller = new AbortController();
    it.on("connecting", () => controller.abort("enough"));
    expect(await failureOf(it.lazy.get({ signal: controller.signal }))).toBe("enough");
    expect((await it.lazy.get()).isDisconnected).toBe(false);
  });

  it("that asks on connecting, and gives that up, takes nothing from the one who asked first", async () => {
    await using it = await setUp();
    const asked: Promise<unknown>[] = [];
    it.on("connecting", () => {
      const controller = new AbortController();
      asked.push(failureOf(it.lazy.get({ signal: controller.signal })));
      controller.abort("enough");
    });
    expect((await it.lazy.get()).isDisconnected).toBe(false);
    expect(await Promise.all(asked)).toEqual(["enough"]);
  });

  it("that is async and rejects is no unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    await using it = await setUp();
    it.lazy.onStateChange((async () => {
      throw new Error("mine");
    }) as () => void);
    await it.lazy.get();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
  });
});

describe("a target function", () => {
  it("may close the client: nobody gets one", async () => {
    await using server = await SocketServer.start();
    const lazy: LazyExecServerClient = new LazyExecServerClient({
      transport: webSocket(() => {
        void lazy.close();
        return server.url;
      }),
    });
    expect(await failureOf(lazy.get())).toMatchObject({ code: "ERR_CLOSED" });
  });

  it("may ask again when its attempt is abandoned: the state is that of the new attempt", async () => {
    await using server = await SocketServer.start();
    const asked: Promise<ExecServerClient>[] = [];
    let dials = 0;
    const lazy: LazyExecServerClient = new LazyExecServerClient({
      transport: webSocket(({ signal }) => {
        if (++dials > 1) return server.url;
        signal.addEventListener("abort", () => asked.push(lazy.get()));
        return new Promise<never>(() => {});
      }),
    });
    await using _closing = lazy;
    const controller = new AbortController();
    const given = failureOf(lazy.get({ signal: controller.signal }));
    controller.abort("enough");
    expect(lazy.state).toBe("connecting");
    expect(await given).toBe("enough");
    await Promise.all(asked);
    expect(lazy.state).toBe("connected");
  });
});

describe("code of the user's inside a request", () => {
  it("that closes the client leaves no call pending", async () => {
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

  it("that sends another request gets an id of its own", async () => {
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
