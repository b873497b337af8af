import { MessageChannel } from "node:worker_threads";
import { describe, expect, test, vi } from "vitest";
import { ConnectError, ExecServerClient, type ExecServerError, messagePort } from "../../../src/index.ts";
import { deferred } from "../../../src/internal/deferred.ts";
import { failureOf } from "../../support/failure.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { PortPeer } from "../../support/port-peer.ts";
import { Recorder } from "../../support/recorder.ts";
import { ScriptedPort } from "../../support/scripted-port.ts";

const { signal } = new AbortController();

/** A connection, with its other side controlled by the test. */
async function establishedPort() {
  const peer = new PortPeer();
  const connecting = messagePort(peer.other).connect({ signal });
  const { attempt } = await peer.until("hello");
  peer.post("opened", { attempt });
  const connection = await connecting;
  await peer.until("accepted");
  return { peer, connection, recorder: new Recorder(connection) };
}

describe("a dial of messagePort()", () => {
  test("rejects with the reason, status and close code of a refusal", async () => {
    const peer = new PortPeer();
    const connecting = failureOf(messagePort(() => peer.other).connect({ signal }));
    const { attempt } = await peer.until("hello");
    const error = { name: "Error", code: "ECONNREFUSED", message: "connect" };
    peer.post("refused", {
      attempt,
      reason: "the server answered HTTP 401",
      status: 401,
      closeCode: 4002,
      error,
    });
    expect(await connecting).toMatchObject({
      name: "ConnectError",
      code: "ERR_CONNECT",
      phase: "dial",
      delivery: "not-sent",
      message: "the server answered HTTP 401",
      status: 401,
      closeCode: 4002,
      cause: error,
    });
    await peer.gone;
    expect(peer.types.at(-1)).toBe("goodbye");
  });

  test("redacts credentials in the reason of a refusal", async () => {
    const peer = new PortPeer();
    const connecting = failureOf(messagePort(() => peer.other).connect({ signal }));
    const { attempt } = await peer.until("hello");
    const reason = "no ws://user:s3cret@host/path?token=s3cret#s3cret";
    peer.post("refused", { attempt, reason, error: { name: "Error", message: reason } });
    const error = (await connecting) as ExecServerError;
    expect(error.message).toBe("no ws://host/path");
    expectNoneShown(error, ["s3cret"]);
  });

  test.each([
    [
      "posts a close message",
      (peer: PortPeer) => peer.post("goodbye", { reason: "maintenance", closeCode: 4001 }),
      "maintenance",
    ],
    ["closes its port", (peer: PortPeer) => peer.port.close(), "the other side of the message port is gone"],
  ])("fails if the other side %s", async (_, close, reason) => {
    const peer = new PortPeer();
    const connecting = failureOf(messagePort(() => peer.other).connect({ signal }));
    await peer.until("hello");
    close(peer);
    const error = (await connecting) as ConnectError;
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial" });
    expect(error.message).toContain(reason);
    await peer.gone;
  });

  test.each([
    ["posts a text", "text"],
    ["posts a message without a protocol", { type: "opened", attempt: 1 }],
    ["requests a connection", { protocol: "exec-server-port/1", type: "hello", attempt: 1 }],
  ])("fails with ERR_PROTOCOL if the other side %s", async (_, message) => {
    const peer = new PortPeer();
    const connecting = failureOf(messagePort(() => peer.other).connect({ signal }));
    await peer.until("hello");
    peer.port.postMessage(message);
    expect(await connecting).toMatchObject({
      name: "ProtocolError",
      code: "ERR_PROTOCOL",
      delivery: "not-sent",
    });
    await peer.gone;
  });

  test("is withdrawn on abort, and ignores an answer that crosses with the abort", async () => {
    const peer = new PortPeer();
    const transport = messagePort(peer.other);
    const controller = new AbortController();
    const first = failureOf(transport.connect({ signal: controller.signal }));
    await peer.until("hello");
    controller.abort(new Error("too slow"));
    expect(await first).toMatchObject({ message: "too slow" });
    expect(await peer.until("withdrawn")).toMatchObject({ attempt: 1 });

    const second = transport.connect({ signal });
    expect(await peer.until("hello")).toMatchObject({ attempt: 2 });
    peer.post("refused", { attempt: 1, reason: "late" });
    peer.post("opened", { attempt: 1 });
    peer.post("opened", { attempt: 2 });
    expect((await second).isOpen).toBe(true);
    expect(await peer.until("accepted")).toMatchObject({ attempt: 2 });
  });

  test("is withdrawn synchronously, so that the next dial can begin in the same turn", async () => {
    const peer = new PortPeer();
    const transport = messagePort(peer.other);
    const keepsAlive = (): boolean => (peer.other as unknown as { hasRef(): boolean }).hasRef();
    const controller = new AbortController();
    const reason = new Error("aborted by the test");
    const first = failureOf(transport.connect({ signal: controller.signal }));
    controller.abort(reason);
    const second = transport.connect({ signal });
    expect(await first).toBe(reason);
    expect(keepsAlive()).toBe(true);
    expect(await peer.until("hello")).toMatchObject({ attempt: 1 });
    expect(await peer.until("hello")).toMatchObject({ attempt: 2 });
    expect(peer.types).toEqual(["hello", "withdrawn", "hello"]);
    peer.post("opened", { attempt: 2 });
    expect((await second).isOpen).toBe(true);
  });

  test("is either withdrawn or established if it is aborted in any turn around the answer", async () => {
    for (let turns = 0; turns <= 8; turns++) {
      const port = new ScriptedPort();
      const transport = messagePort(port);
      const controller = new AbortController();
      const first = transport.connect({ signal: controller.signal }).catch((error: unknown) => error);
      port.deliver("opened", { attempt: 1 });
      for (let turn = 0; turn < turns; turn++) await undefined;
      const reason = new Error("aborted by the test");
      controller.abort(reason);
      const outcome = await first;
      if (outcome === reason) {
        expect(port.types).toEqual(["hello", "withdrawn"]);
        const second = transport.connect({ signal });
        port.deliver("opened", { attempt: 2 });
        expect((await second).isOpen).toBe(true);
      } else {
        expect(outcome).toMatchObject({ isOpen: true });
        expect(port.types).toEqual(["hello", "accepted"]);
      }
    }
  });

  test("is withdrawn if the port aborts the signal while it posts", async () => {
    const controller = new AbortController();
    const reason = new Error("aborted by the test");
    const port = new ScriptedPort(() => controller.abort(reason));
    const transport = messagePort(() => port);
    expect(await failureOf(transport.connect({ signal: controller.signal }))).toBe(reason);
    expect(port.types).toEqual(["hello", "withdrawn", "goodbye"]);
  });

  test("can be repeated on the same port after a refusal", async () => {
    const peer = new PortPeer();
    const transport = messagePort(peer.other);
    const keepsAlive = (): boolean => (peer.other as unknown as { hasRef(): boolean }).hasRef();
    const first = failureOf(transport.connect({ signal }));
    const { attempt: failed } = await peer.until("hello");
    expect(keepsAlive()).toBe(true);
    peer.post("refused", { attempt: failed, reason: "not yet" });
    expect(await first).toBeInstanceOf(ConnectError);
    expect(peer.isGone).toBe(false);
    expect(keepsAlive()).toBe(false);
    const second = transport.connect({ signal });
    const { attempt } = await peer.until("hello");
    peer.post("opened", { attempt });
    expect((await second).isOpen).toBe(true);
  });

  test("fails at once on a port that has carried a connection or is being dialled", async () => {
    const failure = {
      code: "ERR_CONNECT",
      message: expect.stringContaining("give messagePort() a function"),
    };
    const peer = new PortPeer();
    const transport = messagePort(peer.other);
    const connecting = transport.connect({ signal });
    expect(await failureOf(transport.connect({ signal }))).toMatchObject(failure);
    peer.post("opened", { attempt: (await peer.until("hello")).attempt });
    await (await connecting).close();
    expect(await failureOf(transport.connect({ signal }))).toMatchObject(failure);
  });
});

describe("a function passed to messagePort()", () => {
  test("is called for each connection, and its error is the reason", async () => {
    const reason = new Error("no port available");
    const transport = messagePort(() => Promise.reject(reason));
    expect(transport.reconnectable).toBe(true);
    expect(await failureOf(transport.connect({ signal }))).toBe(reason);
    expect(await failureOf(ExecServerClient.connect({ transport }))).toMatchObject({
      code: "ERR_CONNECT",
      cause: { message: "no port available" },
    });
  });

  test("has its port closed if it resolves after the abort", async () => {
    const peer = new PortPeer();
    const port = deferred<PortPeer["other"]>();
    const controller = new AbortController();
    let received: AbortSignal | undefined;
    const transport = messagePort((context) => {
      received = context.signal;
      return port.promise;
    });
    const connecting = failureOf(transport.connect({ signal: controller.signal }));
    const reason = new Error("aborted by the test");
    controller.abort(reason);
    expect(await connecting).toBe(reason);
    expect(received?.aborted).toBe(true);
    port.resolve(peer.other);
    await peer.gone;
    expect(peer.types).toEqual(["goodbye"]);
  });

  test("has its port closed if it resolves in any turn around the abort", async () => {
    for (let turns = 0; turns <= 12; turns++) {
      const port = new ScriptedPort();
      const target = deferred<ScriptedPort>();
      const controller = new AbortController();
      const reason = new Error("aborted by the test");
      const connecting = failureOf(messagePort(() => target.promise).connect({ signal: controller.signal }));
      target.resolve(port);
      for (let turn = 0; turn < turns; turn++) await undefined;
      controller.abort(reason);
      expect(await connecting).toBe(reason);
      await port.closed;
      expect(port.types.at(-1)).toBe("goodbye");
    }
  });

  test("must not return the same port twice", async () => {
    const peer = new PortPeer();
    const transport = messagePort(() => peer.other);
    const connecting = transport.connect({ signal });
    peer.post("opened", { attempt: (await peer.until("hello")).attempt });
    await (await connecting).close();
    expect(await failureOf(transport.connect({ signal }))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message:
        "messagePort(): the function must return a new port for every connection, got the previous port",
    });
  });

  test.each([[undefined], [null], [{}], [{ postMessage() {}, on() {} }], ["port"]])(
    "must return a port, not %o",
    async (value) => {
      const transport = messagePort(() => value as never);
      expect(await failureOf(transport.connect({ signal }))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
      if (typeof value === "function") return;
      expect(() => messagePort(value as never)).toThrow(
        expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
      );
    },
  );
});

test.each([0, -1, Number.NaN, "30"])("messagePort() throws for a livenessMs of %o", (livenessMs) => {
  const { port1 } = new MessageChannel();
  expect(() => messagePort(port1, { livenessMs: livenessMs as number })).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
  );
  port1.close();
});

test("messagePort() posts nothing before the first use", async () => {
  const peer = new PortPeer();
  expect(messagePort(peer.other).reconnectable).toBe(false);
  await new Promise((resolve) => setImmediate(resolve));
  expect(peer.received).toEqual([]);
});

describe("a connection of messagePort()", () => {
  test("ends with the reason, close code and error that the other side reports", async () => {
    const { peer, recorder } = await establishedPort();
    const error = { name: "Error", code: "EPIPE", message: "broken pipe" };
    peer.post("goodbye", { reason: "the server ended", closeCode: 1011, error });
    expect(await recorder.ended).toEqual({ reason: "the server ended", closeCode: 1011, cause: error });
  });

  test.each([
    ["an object", { foo: 1 }],
    ["a number", 7],
    ["bytes", new Uint8Array(4)],
    ["a message of another version", { protocol: "exec-server-port/9", type: "ping" }],
    [
      "a message that is not allowed in this state",
      { protocol: "exec-server-port/1", type: "accepted", attempt: 1 },
    ],
  ])("closes on %s, and delivers no later frame", async (_, message) => {
    const { peer, recorder } = await establishedPort();
    peer.port.postMessage("1");
    peer.port.postMessage(message);
    peer.port.postMessage("2");
    expect(await recorder.ended).toMatchObject({ cause: { name: "ProtocolError" } });
    expect(recorder.log).toEqual(["1", "<end>"]);
    await peer.gone;
    // The other side gets the reason.
    expect(peer.received.at(-1)).toMatchObject({ type: "goodbye", error: { name: "ProtocolError" } });
  });

  test("answers a ping also while it is paused", async () => {
    const { peer, connection } = await establishedPort();
    connection.flow?.pause();
    peer.post("ping");
    await peer.until("pong");
    await connection.close();
  });

  test("reports frames as received only once they are delivered", async () => {
    const { peer, connection, recorder } = await establishedPort();
    connection.flow?.pause();
    peer.port.postMessage("x".repeat(100));
    peer.post("flush");
    peer.post("ping");
    await peer.until("pong");
    expect(peer.types).not.toContain("flushed");
    expect(recorder.log).toEqual([]);
    connection.flow?.resume();
    expect(await peer.until("received")).toMatchObject({ length: 100 });
    await peer.until("flushed");
    // Without a flush, after every 256 KiB.
    for (let n = 0; n < 3; n++) peer.port.postMessage("x".repeat(100 * 1024));
    expect(await peer.until("received")).toMatchObject({ length: 300 * 1024 });
    await connection.close();
  });

  test("counts the sent characters that are not delivered, and resolves drained() when all are", async () => {
    const { peer, connection } = await establishedPort();
    expect(connection.flow?.queuedBytes).toBe(0);
    await connection.flow?.drained();
    connection.send("x".repeat(1000));
    expect(connection.flow?.queuedBytes).toBe(1000);
    let isDrained = false;
    const drained = connection.flow?.drained().then(() => {
      isDrained = true;
    });
    await peer.until("flush");
    expect(isDrained).toBe(false);
    peer.post("received", { length: 1000 });
    peer.post("flushed");
    await drained;
    expect(connection.flow?.queuedBytes).toBe(0);

    connection.send("more");
    const broken = connection.flow?.drained();
    peer.port.close();
    await broken;
    // Frames sent after the end do not count.
    connection.send("late");
    await connection.flow?.drained();
    expect(connection.flow?.queuedBytes).toBe(0);
  });

  test("never throws, and ends, if the port throws", async () => {
    const listeners = new Map<string, (event: { data?: unknown }) => void>();
    const port = {
      isBroken: false,
      postMessage(message: { type?: string; attempt?: number }) {
        if (this.isBroken) throw new Error("thrown by the port");
        const { attempt } = message;
        if (message.type === "hello") {
          queueMicrotask(() =>
            listeners.get("message")?.({ data: { protocol: "exec-server-port/1", type: "opened", attempt } }),
          );
        }
      },
      on: (type: string, listener: (event: { data?: unknown }) => void) => listeners.set(type, listener),
      off: (type: string) => listeners.delete(type),
      close() {
        throw new Error("thrown by the port");
      },
    };
    const connection = await messagePort(port as never).connect({ signal });
    const onEnd = vi.fn();
    connection.start({ onFrame() {}, onEnd });
    port.isBroken = true;
    expect(() => connection.send("{}")).not.toThrow();
    await connection.close();
    expect(onEnd).toHaveBeenCalledOnce();
    expect(listeners.size).toBe(0);
  });
});
