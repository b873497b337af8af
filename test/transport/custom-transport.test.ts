import { describe, expect, test, vi } from "vitest";
import {
  bridge,
  ExecServerClient,
  LazyExecServerClient,
  messagePort,
  type Transport,
} from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import type { Connection, ConnectionReceiver } from "../../src/transport/transport.ts";
import { failureOf } from "../support/failure.ts";
import { expectNoneShown } from "../support/leaks.ts";

const SECRET = "hunter2";

function fail(): never {
  throw new Error(`connect wss://host/?token=${SECRET}`);
}

/** A transport to a test server, whose connections have some methods of the test's. */
function customTransport(
  methods: (inner: Connection) => Partial<Connection>,
  { transport }: Pick<TestServer, "transport"> = new TestServer(),
): Transport {
  return {
    reconnectable: true,
    async connect(context) {
      const inner = await transport.connect(context);
      const custom: Connection = {
        get isOpen() {
          return inner.isOpen;
        },
        start: (receiver) => inner.start(receiver),
        send: (frame) => inner.send(frame),
        close: () => inner.close(),
      };
      return Object.defineProperties(custom, Object.getOwnPropertyDescriptors(methods(inner)));
    },
  };
}

const ROADS: readonly (readonly [string, (transport: Transport) => Transport])[] = [
  ["of a client", (transport) => transport],
  [
    "behind bridge()",
    (transport) => {
      const { port1, port2 } = new MessageChannel();
      bridge(port1, transport);
      return messagePort(port2);
    },
  ],
];

describe.each(ROADS)("a custom transport %s", (_, through) => {
  test.each<[string, Partial<Connection>]>([
    ["start()", { start: fail }],
    ["send()", { send: fail }],
  ])("that throws in %s fails the attempt, with the error as the cause", async (_name, methods) => {
    const close = vi.fn(async () => {});
    const transport = through(customTransport(() => ({ ...methods, close })));
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({
      code: "ERR_CONNECT",
      phase: "initialize",
      message: expect.stringContaining("transport failed"),
      cause: { message: "connect wss://host/" },
    });
    expectNoneShown(error, [SECRET]);
    expect(close).toHaveBeenCalled();
  });

  test("that throws in send() later rejects everything that is pending", async () => {
    let isBroken = false;
    const transport = through(
      customTransport((inner) => ({ send: (frame) => (isBroken ? fail() : inner.send(frame)) })),
    );
    const client = await ExecServerClient.connect({ transport });
    isBroken = true;
    const calls = await Promise.all([failureOf(client.status()), failureOf(client.info())]);
    for (const error of calls) expect(error).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(await client.disconnected).toMatchObject({ cause: { message: "connect wss://host/" } });
  });

  test.each<[string, () => Promise<void>]>([
    ["rejects", async () => fail()],
    ["throws", fail],
  ])("whose close() %s can be closed", async (_name, close) => {
    const client = await ExecServerClient.connect({ transport: through(customTransport(() => ({ close }))) });
    await client.close();
    expect(client.isDisconnected).toBe(true);
  });

  test("that connects with no connection fails the attempt", async () => {
    const transport = through({ reconnectable: true, connect: async () => ({}) as never });
    expect(await failureOf(ExecServerClient.connect({ transport }))).toMatchObject({
      message: "The transport's connect() must resolve with a connection, got an object",
    });
  });
});

describe("a client on a custom transport", () => {
  test.each<[string, Partial<Connection>]>([
    ["ref()", { ref: fail }],
    ["unref()", { unref: fail }],
  ])("that throws in %s fails its calls with an error of the SDK", async (_name, methods) => {
    const transport = customTransport(() => methods);
    const failure = failureOf(
      ExecServerClient.connect({ transport, initializeTimeoutMs: 1_000 }).then((client) => client.status()),
    );
    expect(await failure).toMatchObject({ code: expect.stringMatching(/^ERR_(CONNECT|DISCONNECTED)$/) });
  });

  test("that throws in ping() ends when keepAlive probes it", async () => {
    const keepAlive = { intervalMs: 10, timeoutMs: 10 };
    const transport = customTransport(() => ({ ping: fail }));
    const client = await ExecServerClient.connect({ transport, keepAlive });
    expect(await client.disconnected).toMatchObject({ reason: "the transport failed" });
  });

  test("that throws in flow.resume() fails the body that is held back when the connection is lost", async () => {
    const server = new TestServer();
    const endless = () =>
      new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(4 * 1024 * 1024)) });
    server.onFetch(() => new Response(endless()));
    const pause = vi.fn();
    const flow = { pause, resume: fail, queuedBytes: 0, drained: async () => {} };
    const through = customTransport(() => ({ flow }), server);
    await using lazy = new LazyExecServerClient({ transport: through, fetchConnection: "own" });
    const response = await lazy.fetch("http://origin.example/");
    await vi.waitUntil(() => pause.mock.calls.length > 0);
    server.connections.at(-1)?.drop();
    expect(await failureOf(response.arrayBuffer())).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  test("is closed within a bounded time if the transport never closes", async () => {
    const transport = customTransport(() => ({ close: () => new Promise(() => {}) }));
    const client = await ExecServerClient.connect({ transport });
    vi.useFakeTimers();
    try {
      const closing = client.close();
      await vi.advanceTimersByTimeAsync(3_000);
      await closing;
    } finally {
      vi.useRealTimers();
    }
  });

  test("is disconnected if the transport does not report the end of what it has closed", async () => {
    let isOpen = true;
    const transport = customTransport((inner) => ({
      get isOpen() {
        return isOpen;
      },
      start: ({ onFrame }) => inner.start({ onFrame, onEnd() {} }),
    }));
    const client = await ExecServerClient.connect({ transport });
    isOpen = false;
    vi.useFakeTimers();
    try {
      const calls = [failureOf(client.status()), client.disconnected];
      await vi.advanceTimersByTimeAsync(4_000);
      for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: "ERR_DISCONNECTED" });
    } finally {
      vi.useRealTimers();
    }
  });

  test("accepts an end without a reason, and ignores what comes after it", async () => {
    let receiver!: ConnectionReceiver;
    const transport = customTransport((inner) => ({
      start(to) {
        receiver = to;
        inner.start(to);
      },
    }));
    const client = await ExecServerClient.connect({ transport });
    receiver.onEnd(undefined as never);
    receiver.onEnd({ reason: "again" });
    receiver.onFrame("not JSON");
    expect(await client.disconnected).toMatchObject({ reason: "the connection was lost" });
  });

  test("closes a connection that comes too late, even if that fails", async () => {
    let open!: (connection: Connection) => void;
    const transport: Transport = {
      reconnectable: true,
      connect: () => new Promise((resolve) => (open = resolve)),
    };
    const controller = new AbortController();
    const connecting = failureOf(ExecServerClient.connect({ transport, signal: controller.signal }));
    controller.abort("aborted");
    expect(await connecting).toBe("aborted");
    const close = vi.fn(async () => fail());
    open({ isOpen: true, start() {}, send() {}, close });
    await expect.poll(() => close.mock.calls.length).toBe(1);
  });
});
