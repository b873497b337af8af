import { describe, expect, test } from "vitest";
import { ConnectError, ExecServerClient, LazyExecServerClient, UsageError } from "../../../src/index.ts";
import { failureOf } from "../../support/failure.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { SocketServer } from "../../support/scripted-server.ts";
import { PlainWebSocketServer } from "../../support/websocket-server.ts";
import { ENTRIES } from "../harness/entries.ts";

const open = () => ({ signal: new AbortController().signal });

describe.each(ENTRIES)("the target of webSocket() of the %s", (_, makeTransport) => {
  test.each([
    ["text that is no URL", "not a url: hunter2"],
    ["a relative URL", "/exec?token=hunter2"],
    ["an http: URL", "http://127.0.0.1/?token=hunter2"],
    ["a file: URL", "file:///hunter2"],
    ["user info without a scheme", "hunter2:password@127.0.0.1:8080"],
    ["an empty string", ""],
  ])("throws for %s, without quoting it", (_what, target) => {
    const error = thrownBy(() => makeTransport(target));
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    expectNoneShown(error, ["hunter2"]);
  });

  test.each([undefined, null, 42, {}])("throws for %s", (target) => {
    expect(thrownBy(() => makeTransport(target as never))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
  });

  test("accepts a URL object and does not change it", async () => {
    await using server = await PlainWebSocketServer.start();
    const url = new URL(`${server.url}/#fragment`);
    await (await makeTransport(url).connect(open())).close();
    expect(url.hash).toBe("#fragment");
  });

  test("drops a fragment before dialling", async () => {
    await using server = await PlainWebSocketServer.start();
    await (await makeTransport(`${server.url}/path?query=1#fragment`).connect(open())).close();
    expect(server.upgrades.map(({ url }) => url)).toEqual(["/path?query=1"]);
  });

  test("calls a function once per attempt, and not before the first", async () => {
    await using server = await SocketServer.start();
    let calls = 0;
    const transport = makeTransport(() => {
      calls++;
      return server.url;
    });
    await using client = new LazyExecServerClient({ transport });
    expect(calls).toBe(0);
    await Promise.all([client.get(), client.get(), client.get()]);
    expect(calls).toBe(1);
    const first = await client.get();
    (await server.connection()).drop();
    await first.disconnected;
    await Promise.all([client.get(), client.get()]);
    expect(calls).toBe(2);
  });

  test("accepts an async function, and merges its protocols and headers into the options", async () => {
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

  test("fails the attempt if a function throws or rejects, with its error as the cause", async () => {
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

  test("fails the attempt with a UsageError if a function returns no WebSocket URL", async () => {
    for (const returned of ["http://127.0.0.1/?token=hunter2", "hunter2", undefined, { url: "hunter2" }]) {
      const connecting = ExecServerClient.connect({ transport: makeTransport(() => returned as never) });
      const error = await failureOf(connecting);
      expect(error).toMatchObject({ name: "UsageError", code: "ERR_INVALID_ARGUMENT" });
      expectNoneShown(error, ["hunter2"]);
    }
  });

  test("aborts the signal of a function that never settles at the connect timeout", async () => {
    let received: AbortSignal | undefined;
    const transport = makeTransport(({ signal }) => {
      received = signal;
      return new Promise<never>(() => {});
    });
    const error = await failureOf(ExecServerClient.connect({ transport, connectTimeoutMs: 50 }));
    expect(error).toMatchObject({ code: "ERR_CONNECT_TIMEOUT" });
    expect(received?.aborted).toBe(true);
  });

  test("is not dialled if the signal aborts right after the function's result", async () => {
    await using server = await PlainWebSocketServer.start();
    const reason = new Error("aborted by the test");
    // One of these turns is between the result and the dial.
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
