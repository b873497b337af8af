import { MessageChannel } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { ConnectError, ExecServerClient, type ExecServerError, messagePort } from "../../../src/index.ts";
import { deferred } from "../../../src/internal/deferred.ts";
import { failureOf } from "../../support/failure.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { PlayedPort } from "../../support/played-port.ts";
import { PortPeer } from "../../support/port-peer.ts";
import { Recorder } from "../../support/recorder.ts";

const { signal } = new AbortController();

/** A bridge that has said yes, played by hand. */
async function openedPort() {
  const peer = new PortPeer();
  const connecting = messagePort(peer.other).connect({ signal });
  const { attempt } = await peer.until("hello");
  peer.say("opened", { attempt });
  const connection = await connecting;
  await peer.until("accepted");
  return { peer, connection, recorder: new Recorder(connection) };
}

describe("a dial", () => {
  test("that is refused tells why, with status and close code", async () => {
    const peer = new PortPeer();
    const connecting = failureOf(messagePort(() => peer.other).connect({ signal }));
    const { attempt } = await peer.until("hello");
    const error = { name: "Error", code: "ECONNREFUSED", message: "connect" };
    peer.say("refused", {
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

  test("shows nothing secret, whatever the other side says", async () => {
    const peer = new PortPeer();
    const connecting = failureOf(messagePort(() => peer.other).connect({ signal }));
    const { attempt } = await peer.until("hello");
    const reason = "no ws://user:s3cret@host/path?token=s3cret#s3cret";
    peer.say("refused", { attempt, reason, error: { name: "Error", message: reason } });
    const error = (await connecting) as ExecServerError;
    expect(error.message).toBe("no ws://host/path");
    expectNoneShown(error, ["s3cret"]);
  });

  test.each([
    [
      "says goodbye",
      (peer: PortPeer) => peer.say("goodbye", { reason: "not today", closeCode: 4001 }),
      "not today",
    ],
    [
      "goes without a word",
      (peer: PortPeer) => peer.port.close(),
      "the other side of the message port is gone",
    ],
  ])("fails when the other side %s", async (_, leave, reason) => {
    const peer = new PortPeer();
    const connecting = failureOf(messagePort(() => peer.other).connect({ signal }));
    await peer.until("hello");
    leave(peer);
    const error = (await connecting) as ConnectError;
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial" });
    expect(error.message).toContain(reason);
    await peer.gone;
  });

  test.each([
    ["speaks something else", "hi"],
    ["posts what can't be a message", { type: "opened", attempt: 1 }],
    ["wishes for a connection itself", { protocol: "exec-server-port/1", type: "hello", attempt: 1 }],
  ])("fails with ERR_PROTOCOL when the other side %s", async (_, message) => {
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

  test("that nobody waits for any more is withdrawn, and an answer that crosses with it is ignored", async () => {
    const peer = new PortPeer();
    const transport = messagePort(peer.other);
    const impatience = new AbortController();
    const first = failureOf(transport.connect({ signal: impatience.signal }));
    await peer.until("hello");
    impatience.abort(new Error("too slow"));
    expect(await first).toMatchObject({ message: "too slow" });
    expect(await peer.until("withdrawn")).toMatchObject({ attempt: 1 });

    const second = transport.connect({ signal });
    expect(await peer.until("hello")).toMatchObject({ attempt: 2 });
    peer.say("refused", { attempt: 1, reason: "late" });
    peer.say("opened", { attempt: 1 });
    peer.say("opened", { attempt: 2 });
    expect((await second).isOpen).toBe(true);
    expect(await peer.until("accepted")).toMatchObject({ attempt: 2 });
  });

  test("is withdrawn at once, so that the next may begin in the same turn", async () => {
    const peer = new PortPeer();
    const transport = messagePort(peer.other);
    const keepsAlive = (): boolean => (peer.other as unknown as { hasRef(): boolean }).hasRef();
    const impatience = new AbortController();
    const reason = new Error("unmounted");
    const first = failureOf(transport.connect({ signal: impatience.signal }));
    impatience.abort(reason);
    const second = transport.connect({ signal });
    expect(await first).toBe(reason);
    expect(keepsAlive()).toBe(true);
    expect(await peer.until("hello")).toMatchObject({ attempt: 1 });
    expect(await peer.until("hello")).toMatchObject({ attempt: 2 });
    expect(peer.types).toEqual(["hello", "withdrawn", "hello"]);
    peer.say("opened", { attempt: 2 });
    expect((await second).isOpen).toBe(true);
  });

  test("aborted in the very moment of the answer is withdrawn or carried through, never both", async () => {
    for (let turns = 0; turns <= 8; turns++) {
      const port = new PlayedPort();
      const transport = messagePort(port);
      const impatience = new AbortController();
      const first = transport.connect({ signal: impatience.signal }).catch((error: unknown) => error);
      port.deliver("opened", { attempt: 1 });
      for (let turn = 0; turn < turns; turn++) await undefined;
      const reason = new Error("unmounted");
      impatience.abort(reason);
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

  test("aborted by the port itself is withdrawn", async () => {
    const impatience = new AbortController();
    const reason = new Error("unmounted");
    const port = new PlayedPort(() => impatience.abort(reason));
    const transport = messagePort(() => port);
    expect(await failureOf(transport.connect({ signal: impatience.signal }))).toBe(reason);
    expect(port.types).toEqual(["hello", "withdrawn", "goodbye"]);
  });

  test("that failed may be tried again on the same port, for there was no connection yet", async () => {
    const peer = new PortPeer();
    const transport = messagePort(peer.other);
    const keepsAlive = (): boolean => (peer.other as unknown as { hasRef(): boolean }).hasRef();
    const first = failureOf(transport.connect({ signal }));
    const { attempt: failed } = await peer.until("hello");
    expect(keepsAlive()).toBe(true);
    peer.say("refused", { attempt: failed, reason: "not yet" });
    expect(await first).toBeInstanceOf(ConnectError);
    expect(peer.isGone).toBe(false);
    expect(keepsAlive()).toBe(false);
    const second = transport.connect({ signal });
    const { attempt } = await peer.until("hello");
    peer.say("opened", { attempt });
    expect((await second).isOpen).toBe(true);
  });

  test("on a port that has carried its one connection, or is being dialled, fails at once", async () => {
    const failure = {
      code: "ERR_CONNECT",
      message: expect.stringContaining("give messagePort() a function"),
    };
    const peer = new PortPeer();
    const transport = messagePort(peer.other);
    const connecting = transport.connect({ signal });
    expect(await failureOf(transport.connect({ signal }))).toMatchObject(failure);
    peer.say("opened", { attempt: (await peer.until("hello")).attempt });
    await (await connecting).close();
    expect(await failureOf(transport.connect({ signal }))).toMatchObject(failure);
  });
});

describe("a function that gives the port", () => {
  test("is asked for each connection; what it throws is the reason", async () => {
    const reason = new Error("the main process is busy");
    const transport = messagePort(() => Promise.reject(reason));
    expect(transport.reconnectable).toBe(true);
    expect(await failureOf(transport.connect({ signal }))).toBe(reason);
    expect(await failureOf(ExecServerClient.connect({ transport }))).toMatchObject({
      code: "ERR_CONNECT",
      cause: { message: "the main process is busy" },
    });
  });

  test("and comes too late has its port closed, with a goodbye", async () => {
    const peer = new PortPeer();
    const port = deferred<PortPeer["other"]>();
    const impatience = new AbortController();
    let seen: AbortSignal | undefined;
    const transport = messagePort((context) => {
      seen = context.signal;
      return port.promise;
    });
    const connecting = failureOf(transport.connect({ signal: impatience.signal }));
    const reason = new Error("never mind");
    impatience.abort(reason);
    expect(await connecting).toBe(reason);
    expect(seen?.aborted).toBe(true);
    port.resolve(peer.other);
    await peer.gone;
    expect(peer.types).toEqual(["goodbye"]);
  });

  test("and is answered in the very moment of the abort has its port closed, with a goodbye", async () => {
    for (let turns = 0; turns <= 12; turns++) {
      const port = new PlayedPort();
      const given = deferred<PlayedPort>();
      const impatience = new AbortController();
      const reason = new Error("never mind");
      const connecting = failureOf(messagePort(() => given.promise).connect({ signal: impatience.signal }));
      given.resolve(port);
      for (let turn = 0; turn < turns; turn++) await undefined;
      impatience.abort(reason);
      expect(await connecting).toBe(reason);
      await port.closed;
      expect(port.types.at(-1)).toBe("goodbye");
    }
  });

  test("must not give the same one twice", async () => {
    const peer = new PortPeer();
    const transport = messagePort(() => peer.other);
    const connecting = transport.connect({ signal });
    peer.say("opened", { attempt: (await peer.until("hello")).attempt });
    await (await connecting).close();
    expect(await failureOf(transport.connect({ signal }))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: "Every connection needs a new message port",
    });
  });

  test.each([[undefined], [null], [{}], [{ postMessage() {}, on() {} }], ["port"]])(
    "must give a port, not %o",
    async (nothing) => {
      const transport = messagePort(() => nothing as never);
      expect(await failureOf(transport.connect({ signal }))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
      if (typeof nothing === "function") return;
      expect(() => messagePort(nothing as never)).toThrow(
        expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
      );
    },
  );
});

test.each([0, -1, Number.NaN, "30"])("a livenessMs of %o is refused at once", (livenessMs) => {
  const { port1 } = new MessageChannel();
  expect(() => messagePort(port1, { livenessMs: livenessMs as number })).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
  );
  port1.close();
});

test("nothing is said, and the port not even started, before the first use", async () => {
  const peer = new PortPeer();
  expect(messagePort(peer.other).reconnectable).toBe(false);
  await new Promise((resolve) => setImmediate(resolve));
  expect(peer.received).toEqual([]);
});

describe("a connection", () => {
  test("ends with the reason, the close code and the error that the other side tells", async () => {
    const { peer, recorder } = await openedPort();
    const error = { name: "Error", code: "EPIPE", message: "broken pipe" };
    peer.say("goodbye", { reason: "the server ended", closeCode: 1011, error });
    expect(await recorder.ended).toEqual({ reason: "the server ended", closeCode: 1011, cause: error });
  });

  test.each([
    ["an object", { foo: 1 }],
    ["a number", 7],
    ["bytes", new Uint8Array(4)],
    ["a message of another version", { protocol: "exec-server-port/9", type: "ping" }],
    ["one that is out of place", { protocol: "exec-server-port/1", type: "accepted", attempt: 1 }],
  ])("is ended by %s, which it takes for nothing", async (_, message) => {
    const { peer, recorder } = await openedPort();
    peer.port.postMessage("1");
    peer.port.postMessage(message);
    peer.port.postMessage("2");
    expect(await recorder.ended).toMatchObject({ cause: { name: "ProtocolError" } });
    expect(recorder.log).toEqual(["1", "<end>"]);
    await peer.gone;
    // The other side is told what it did.
    expect(peer.received.at(-1)).toMatchObject({ type: "goodbye", error: { name: "ProtocolError" } });
  });

  test("answers whether it is there, also while it is paused", async () => {
    const { peer, connection } = await openedPort();
    connection.flow?.pause();
    peer.say("ping");
    await peer.until("pong");
    await connection.close();
  });

  test("confirms what was passed on, and only that", async () => {
    const { peer, connection, recorder } = await openedPort();
    connection.flow?.pause();
    peer.port.postMessage("x".repeat(100));
    peer.say("flush");
    peer.say("ping");
    await peer.until("pong");
    expect(peer.types).not.toContain("flushed");
    expect(recorder.log).toEqual([]);
    connection.flow?.resume();
    expect(await peer.until("received")).toMatchObject({ length: 100 });
    await peer.until("flushed");
    // And by itself every so often.
    for (let n = 0; n < 3; n++) peer.port.postMessage("x".repeat(100 * 1024));
    expect(await peer.until("received")).toMatchObject({ length: 300 * 1024 });
    await connection.close();
  });

  test("knows how much of what it sent has not been passed on, and when all of it has", async () => {
    const { peer, connection } = await openedPort();
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
    peer.say("received", { length: 1000 });
    peer.say("flushed");
    await drained;
    expect(connection.flow?.queuedBytes).toBe(0);

    connection.send("more");
    const broken = connection.flow?.drained();
    peer.port.close();
    await broken;
    // What is sent after the end waits for nothing.
    connection.send("late");
    await connection.flow?.drained();
    expect(connection.flow?.queuedBytes).toBe(0);
  });

  test("never throws when it sends, whatever the port does", async () => {
    const listeners = new Map<string, (event: { data?: unknown }) => void>();
    const port = {
      isBroken: false,
      postMessage(message: { type?: string; attempt?: number }) {
        if (this.isBroken) throw new Error("the port is gone");
        const { attempt } = message;
        if (message.type === "hello") {
          queueMicrotask(() =>
            listeners.get("message")?.({ data: { protocol: "exec-server-port/1", type: "opened", attempt } }),
          );
        }
      },
      on: (type: string, listener: (event: { data?: unknown }) => void) => listeners.set(type, listener),
      off: (type: string) => listeners.delete(type),
      close() {},
    };
    const connection = await messagePort(port as never).connect({ signal });
    port.isBroken = true;
    expect(() => connection.send("{}")).not.toThrow();
    await connection.close();
    expect(listeners.size).toBe(0);
  });
});
