import { describe, expect, test, vi } from "vitest";
import { bridge, ExecServerClient, messagePort, type Transport } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import type { Connection, ConnectionReceiver } from "../../src/transport/transport.ts";
import { failureOf } from "../support/failure.ts";
import { expectNoneShown } from "../support/leaks.ts";

const SECRET = "hunter2";

function fail(): never {
  throw new Error(`connect wss://host/?token=${SECRET}`);
}

/** A transport to a test server, whose connections have some methods of the test's. */
function customTransport(methods: (inner: Connection) => Partial<Connection>): Transport {
  const { transport } = new TestServer();
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
});

describe("a client on a custom transport", () => {
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
