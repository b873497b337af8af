import { describe, expect, test } from "vitest";
import { ConnectError, ExecServerClient, LazyExecServerClient, UsageError } from "../../../src/index.ts";
import { failureOf } from "../../support/failure.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { SocketServer } from "../../support/scripted-server.ts";
import { PlainWebSocketServer } from "../../support/websocket-server.ts";
import { ENTRIES } from "../harness/entries.ts";

const open = () => ({ signal: new AbortController().signal });

describe.each(ENTRIES)("the target of the %s's webSocket()", (_, makeTransport) => {
  test.each([
    ["no URL", "not a url: hunter2"],
    ["a relative URL", "/exec?token=hunter2"],
    ["a scheme of the web", "http://127.0.0.1/?token=hunter2"],
    ["another scheme", "file:///hunter2"],
    ["what looks like a scheme and is a name", "hunter2:password@127.0.0.1:8080"],
    ["nothing", ""],
  ])("is refused at once when it is %s, without being shown", (_what, target) => {
    const error = thrownBy(() => makeTransport(target));
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    expectNoneShown(error, ["hunter2"]);
  });

  test.each([undefined, null, 42, {}])("is refused at once when it is %s", (target) => {
    expect(thrownBy(() => makeTransport(target as never))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
  });

  test("may be a URL object, which is left as it was", async () => {
    await using server = await PlainWebSocketServer.start();
    const url = new URL(`${server.url}/#fragment`);
    await (await makeTransport(url).connect(open())).close();
    expect(url.hash).toBe("#fragment");
  });

  test("may hold a fragment, which is not dialled", async () => {
    await using server = await PlainWebSocketServer.start();
    await (await makeTransport(`${server.url}/path?query=1#fragment`).connect(open())).close();
    expect(server.upgrades.map(({ url }) => url)).toEqual(["/path?query=1"]);
  });

  test("is asked once per attempt, and not before", async () => {
    await using server = await SocketServer.start();
    let asked = 0;
    const transport = makeTransport(() => {
      asked++;
      return server.url;
    });
    await using client = new LazyExecServerClient({ transport });
    expect(asked).toBe(0);
    await Promise.all([client.get(), client.get(), client.get()]);
    expect(asked).toBe(1);
    const first = await client.get();
    (await server.connection()).drop();
    await first.disconnected;
    await Promise.all([client.get(), client.get()]);
    expect(asked).toBe(2);
  });

  test("may be told late, with protocols and headers for this dial over the fixed ones", async () => {
    await using server = await PlainWebSocketServer.start();
    let dial = 0;
    const transport = makeTransport(
      async () => {
        await new Promise((resolve) => setImmediate(resolve));
        dial++;
        return {
          url: new URL(server.url),
          protocols: [`ticket.${dial}`],
          headers: { "x-both": `dial ${dial}` },
        };
      },
      { protocols: "exec", headers: { "x-fixed": "fixed", "x-both": "fixed" } },
    );
    await (await transport.connect(open())).close();
    await (await transport.connect(open())).close();
    const { upgrades } = server;
    expect(
      upgrades.map(({ headers }) => [
        headers["sec-websocket-protocol"],
        headers["x-fixed"],
        headers["x-both"],
      ]),
    ).toEqual([
      ["exec,ticket.1", "fixed", "dial 1"],
      ["exec,ticket.2", "fixed", "dial 2"],
    ]);
  });

  test("that throws or rejects fails the attempt, with its reason as the cause", async () => {
    for (const target of [
      () => {
        throw new Error("no token today");
      },
      () => Promise.reject(new Error("no token today")),
    ]) {
      const error = await failureOf(ExecServerClient.connect({ transport: makeTransport(target) }));
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({
        phase: "dial",
        delivery: "not-sent",
        cause: { name: "Error", message: "no token today" },
      });
    }
  });

  test("that names no WebSocket URL fails the attempt with a UsageError", async () => {
    for (const named of ["http://127.0.0.1/?token=hunter2", "hunter2", undefined, { url: "hunter2" }]) {
      const connecting = ExecServerClient.connect({ transport: makeTransport(() => named as never) });
      const error = await failureOf(connecting);
      expect(error).toMatchObject({ name: "UsageError", code: "ERR_INVALID_ARGUMENT" });
      expectNoneShown(error, ["hunter2"]);
    }
  });

  test("that never answers is given up at the connect timeout, and told so", async () => {
    let given: AbortSignal | undefined;
    const transport = makeTransport(({ signal }) => {
      given = signal;
      return new Promise<never>(() => {});
    });
    const error = await failureOf(ExecServerClient.connect({ transport, connectTimeoutMs: 50 }));
    expect(error).toMatchObject({ code: "ERR_CONNECT_TIMEOUT" });
    expect(given?.aborted).toBe(true);
  });

  test("is dialled no more when the signal aborts right after its answer", async () => {
    await using server = await PlainWebSocketServer.start();
    const reason = new Error("changed my mind");
    // One of these turns falls between the answer and the dial.
    for (let turns = 0; turns < 8; turns++) {
      const transport = makeTransport(async () => server.url);
      const { signal, abort } = abortAfterTurns(turns, reason);
      const connecting = transport.connect({ signal });
      abort();
      expect(await failureOf(connecting)).toBe(reason);
    }
  });
});

function abortAfterTurns(turns: number, reason: unknown): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    async abort() {
      for (let turn = 0; turn < turns; turn++) await null;
      controller.abort(reason);
    },
  };
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
