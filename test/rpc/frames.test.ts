import { describe, expect, it } from "vitest";
import { MAX_INCOMING_FRAME } from "../../src/transport/transport.ts";
import { failureOf } from "../support/failure.ts";
import { scriptedPeer } from "../support/scripted-peer.ts";

const STATUS = "environment/status";

describe("a frame", () => {
  it("can have 64 MiB, and ends the connection if it has more", async () => {
    const t = scriptedPeer();
    const call = t.rpc.call(STATUS, null);
    t.receiver.onFrame('{"id":1,"result":{"status":"ready"}}'.padEnd(MAX_INCOMING_FRAME));
    expect(await call).toEqual({ status: "ready" });
    t.receiver.onFrame(new Uint8Array(MAX_INCOMING_FRAME + 1));
    expect(t.rpc.failure).toMatchObject({
      code: "ERR_DISCONNECTED",
      reason: "The server sent an oversized frame",
      sessionId: "session-1",
      cause: { code: "ERR_PROTOCOL" },
    });
    expect(t.connection.closes).toBe(1);
  });

  it("whose listener throws ends the connection, with the error as its redacted cause", () => {
    const t = scriptedPeer();
    t.rpc.onNotification("x", () => {
      throw new TypeError("secret");
    });
    t.receive({ method: "x" });
    expect(t.rpc.failure).toMatchObject({
      reason: "a message could not be handled",
      cause: { name: "TypeError" },
    });
  });

  it("that arrives after the end is dropped", () => {
    const methods: string[] = [];
    const t = scriptedPeer();
    for (const method of ["before", "after"]) t.rpc.onNotification(method, () => void methods.push(method));
    t.receive({ method: "before" });
    t.receiver.onEnd({});
    t.receive({ method: "after" });
    expect(methods).toEqual(["before"]);
    expect(t.rpc.framesReceived).toBe(1);
  });

  it("that is a notification without a listener is ignored, whatever its method", () => {
    const t = scriptedPeer();
    for (const method of ["x", "toString", "__proto__"]) t.receive({ method, params: { a: 1 } });
    expect(t.rpc.failure).toBeUndefined();
  });

  it("delivers its bytes decoded if the codec's fast path decoded them, else as base64", async () => {
    const t = scriptedPeer();
    const notified: unknown[] = [];
    t.rpc.onNotification("process/output", (params) => void notified.push(params));
    const params = { processId: "p", seq: 1, stream: "stdout", chunk: "AAAA".repeat(20) };
    t.receive({ method: "process/output", params });
    t.receive({ params, method: "process/output" });
    expect(notified).toEqual([{ ...params, chunk: new Uint8Array(60) }, params]);
  });
});

describe("a request of the server", () => {
  it("ends the connection before the first response: the peer is probably an echo server", async () => {
    const requested: string[] = [];
    const t = scriptedPeer({
      onRequest: (method) => {
        requested.push(method);
        return undefined;
      },
    });
    const call = failureOf(t.rpc.call(STATUS, null));
    t.receiver.onFrame(t.sent[0] as string);
    expect(await call).toMatchObject({
      reason: "The other side sent a request before the handshake",
      cause: { code: "ERR_PROTOCOL" },
      delivery: "unknown",
    });
    expect(requested).toEqual([]);
  });

  it("is answered under its own id at any time, but not after the end", async () => {
    const answers: ((result: unknown) => void)[] = [];
    const t = scriptedPeer({
      onRequest: (method) =>
        method === "known" ? new Promise((resolve) => answers.push(resolve)) : undefined,
    });
    void t.rpc.call(STATUS, null);
    t.receive({ id: 1, result: { status: "ready" } });
    for (const id of ["a", "b"]) t.receive({ id, method: "known" });
    t.receive({ id: 5, method: "unknown" });
    expect(t.message(-1)).toEqual({
      id: 5,
      error: { code: -32601, message: "The client does not implement this method" },
    });
    answers[0]?.({ a: 1 });
    await Promise.resolve();
    expect(t.message(-1)).toEqual({ id: "a", result: { a: 1 } });
    const sent = t.sent.length;
    t.receiver.onEnd({});
    answers[1]?.({});
    await Promise.resolve();
    expect(t.sent).toHaveLength(sent);
  });
});

describe("an outgoing frame", () => {
  it("is a notification without an id", () => {
    const t = scriptedPeer();
    t.rpc.notify("initialized", {});
    expect(t.message(0)).toEqual({ method: "initialized", params: {} });
  });

  it("has bytes as base64, encoded by the transport if it can", async () => {
    const payload = { name: "chunk", bytes: new Uint8Array([1, 2]) };
    const plain = scriptedPeer();
    void plain.rpc.request("x", { a: 1 }, undefined, { payload });
    expect(plain.message(0)).toEqual({ id: 1, method: "x", params: { a: 1, chunk: "AQI=" } });
    const passed: unknown[] = [];
    const encoding = scriptedPeer({}, { sendPayload: (...parts) => void passed.push(parts) });
    void encoding.rpc.request("x", { a: 1 }, undefined, { payload });
    expect(passed).toEqual([['{"id":1,"method":"x","params":{"a":1,"chunk":"', payload.bytes, '"}}']]);
    expect(encoding.sent).toEqual([]);
  });

  it("has the bytes as they were when the call was made, even if it was queued", async () => {
    const t = scriptedPeer();
    const bytes = new Uint8Array([1, 2]);
    for (let n = 0; n < 128; n++) void t.rpc.request("x", {}, undefined);
    void t.rpc.request("x", { a: 1 }, undefined, { payload: { name: "chunk", bytes } });
    bytes.fill(0);
    t.receive({ id: 1, result: null });
    expect(t.message(-1)).toMatchObject({ id: 129, params: { chunk: "AQI=" } });
  });

  it("has the same bytes, not a copy, if the call is not queued", () => {
    const passed: unknown[] = [];
    const t = scriptedPeer({}, { sendPayload: (_, bytes) => void passed.push(bytes) });
    const bytes = new Uint8Array([1, 2]);
    void t.rpc.request("x", { a: 1 }, undefined, { payload: { name: "chunk", bytes } });
    expect(passed[0]).toBe(bytes);
  });

  it("is nothing for a call that was aborted while queued or can't be encoded", async () => {
    const t = scriptedPeer();
    expect(await failureOf(t.rpc.request("x", { a: 1n }, undefined))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
    });
    const aborted = t.rpc.request("x", {}, undefined, { signal: AbortSignal.abort("enough") });
    expect(await failureOf(aborted)).toBe("enough");
    expect(t.sent).toEqual([]);
    const controller = new AbortController();
    for (let n = 0; n < 128; n++) void t.rpc.request("x", {}, undefined);
    const queued = failureOf(t.rpc.request("aborted", {}, undefined, { signal: controller.signal }));
    void t.rpc.request("next", {}, undefined);
    controller.abort("enough");
    expect(await queued).toBe("enough");
    t.receive({ id: t.message(0).id, result: null });
    expect(t.sent).toHaveLength(129);
    expect(t.message(-1)).toMatchObject({ method: "next" });
  });
});

describe("an error response without a request id (-1)", () => {
  const refusal = { id: -1, error: { code: -32600, message: "recursion limit exceeded" } };

  it("fails the only request in flight, and frees its place", async () => {
    const t = scriptedPeer();
    const call = failureOf(t.rpc.call(STATUS, null));
    t.receive(refusal);
    expect(await call).toMatchObject({ code: "ERR_SERVER", rpcCode: -32600, delivery: "answered" });
    expect(t.rpc.unanswered.size).toBe(0);
    expect(t.rpc.failure).toBeUndefined();
  });

  it("that is malformed fails the only request in flight too", async () => {
    const t = scriptedPeer();
    const call = failureOf(t.rpc.call(STATUS, null));
    t.receive({ id: -1, error: "recursion limit exceeded" });
    expect(await call).toMatchObject({ code: "ERR_PROTOCOL", delivery: "answered" });
    expect(t.rpc.failure).toBeUndefined();
  });

  it("that is malformed ends the connection with two requests in flight", async () => {
    const t = scriptedPeer();
    const calls = [failureOf(t.rpc.call(STATUS, null)), failureOf(t.rpc.call(STATUS, null))];
    t.receive({ id: -1 });
    const reason = "The server could not read a message";
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: "ERR_DISCONNECTED", reason });
  });

  it.each([0, 2, 200])(
    "ends the connection with %i requests pending, none of which it names",
    async (count) => {
      const t = scriptedPeer();
      const calls = Array.from({ length: count }, () => failureOf(t.rpc.call(STATUS, null)));
      t.receive(refusal);
      const reason = "The server could not read a message (-32600): recursion limit exceeded";
      expect(t.rpc.failure).toMatchObject({
        code: "ERR_DISCONNECTED",
        reason,
        cause: { code: "ERR_PROTOCOL" },
      });
      for (const error of await Promise.all(calls))
        expect(error).toMatchObject({ code: "ERR_DISCONNECTED", reason });
    },
  );
});

describe("user code inside a request", () => {
  it("that closes the connection while its params are encoded: the call rejects, and nothing is sent", async () => {
    const t = scriptedPeer();
    const params = {
      toJSON() {
        void t.rpc.close();
        return {};
      },
    };
    expect(await failureOf(t.rpc.request("x", params, undefined))).toMatchObject({
      code: "ERR_CLOSED",
      delivery: "not-sent",
    });
    expect(t.sent).toEqual([]);
  });

  it("is called in the turn of each call, and not for a call after the end", async () => {
    let traces = 0;
    const t = scriptedPeer({
      trace: () => {
        traces++;
        return undefined;
      },
    });
    for (let n = 0; n < 128; n++) t.rpc.request("x", {}, undefined).catch(() => {});
    const controller = new AbortController();
    const calls = [
      failureOf(t.rpc.request("x", {}, undefined, { signal: controller.signal })),
      failureOf(t.rpc.request("x", {}, undefined)),
    ];
    controller.abort("enough");
    t.receiver.onEnd({});
    expect((await Promise.all(calls))[0]).toBe("enough");
    await failureOf(t.rpc.request("x", {}, undefined));
    expect(traces).toBe(130);
  });

  it("that aborts its own call frees the place of that call", async () => {
    const t = scriptedPeer();
    for (let n = 0; n < 200; n++) {
      const controller = new AbortController();
      const params = { toJSON: () => controller.abort("enough") };
      expect(await failureOf(t.rpc.request("x", params, undefined, controller))).toBe("enough");
    }
    expect(t.sent).toEqual([]);
    void t.rpc.request("x", {}, undefined);
    expect(t.sent).toHaveLength(1);
  });
});

describe("a response whose id is not pending", () => {
  it.each([
    ["a result", { result: null }],
    ["an error", { error: { code: 1, message: "boom" } }],
    ["neither", {}],
  ])("frees no place and does not count as an answered handshake: %s", (_, answer) => {
    const t = scriptedPeer();
    for (let n = 0; n < 129; n++) t.rpc.request("x", {}, undefined).catch(() => {});
    t.receive({ id: 999, ...answer });
    expect(t.sent).toHaveLength(128);
    expect(t.rpc.failure).toBeUndefined();
    t.receive({ id: 1, method: "x" });
    expect(t.rpc.failure).toMatchObject({
      reason: "The other side sent a request before the handshake",
    });
  });
});

describe("a probe", () => {
  it("is a ping if the transport has one, else an urgent status request that bypasses the queue", () => {
    let pings = 0;
    const pinging = scriptedPeer({}, { ping: async () => void pings++ });
    expect(pinging.rpc.channel.canPing).toBe(true);
    void pinging.rpc.probe();
    expect([pings, pinging.sent.length]).toEqual([1, 0]);
    const plain = scriptedPeer();
    expect(plain.rpc.channel.canPing).toBe(false);
    for (let n = 0; n < 130; n++) void plain.rpc.call("environment/info", null);
    void plain.rpc.probe();
    expect(plain.sent).toHaveLength(129);
    expect(plain.message(-1)).toEqual({ id: 129, method: STATUS, params: null });
  });

  it("is sent behind the transport's queued bytes, 0 if unknown", () => {
    const flow = { pause() {}, resume() {}, drained: async () => {}, queuedBytes: 7 };
    expect(scriptedPeer({}, { flow }).rpc.channel.queuedBytes).toBe(7);
    expect(scriptedPeer().rpc.channel.queuedBytes).toBe(0);
  });
});
