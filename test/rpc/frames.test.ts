import { describe, expect, it } from "vitest";
import { MAX_INCOMING_FRAME } from "../../src/transport/transport.ts";
import { failureOf } from "../support/failure.ts";
import { scriptedPeer } from "../support/scripted-peer.ts";

const STATUS = "environment/status";

describe("a frame", () => {
  it("may be 64 MiB long, and ends the connection if it is longer", async () => {
    const it = scriptedPeer();
    const call = it.rpc.call(STATUS, null);
    it.receiver.onFrame('{"id":1,"result":{"status":"ready"}}'.padEnd(MAX_INCOMING_FRAME));
    expect(await call).toEqual({ status: "ready" });
    it.receiver.onFrame(new Uint8Array(MAX_INCOMING_FRAME + 1));
    expect(it.rpc.failure).toMatchObject({
      code: "ERR_DISCONNECTED",
      reason: "The server sent an oversized frame",
      sessionId: "session-1",
      cause: { code: "ERR_PROTOCOL" },
    });
    expect(it.connection.closes).toBe(1);
  });

  it("that cannot be handled ends the connection, and what was thrown is told as the cause alone", () => {
    const it = scriptedPeer();
    it.rpc.onNotification("x", () => {
      throw new TypeError("secret");
    });
    it.receive({ method: "x" });
    expect(it.rpc.failure).toMatchObject({
      reason: "a message could not be handled",
      cause: { name: "TypeError" },
    });
  });

  it("that comes after the end is dropped", () => {
    const methods: string[] = [];
    const it = scriptedPeer();
    for (const method of ["before", "after"]) it.rpc.onNotification(method, () => void methods.push(method));
    it.receive({ method: "before" });
    it.receiver.onEnd({});
    it.receive({ method: "after" });
    expect(methods).toEqual(["before"]);
    expect(it.rpc.framesReceived).toBe(1);
  });

  it("that is a notification without a listener is ignored, whatever its method is called", () => {
    const it = scriptedPeer();
    for (const method of ["x", "toString", "__proto__"]) it.receive({ method, params: { a: 1 } });
    expect(it.rpc.failure).toBeUndefined();
  });

  it("brings its bytes decoded if the codec could, and as base64 otherwise", async () => {
    const it = scriptedPeer();
    const notified: unknown[] = [];
    it.rpc.onNotification("process/output", (params) => void notified.push(params));
    const params = { processId: "p", seq: 1, stream: "stdout", chunk: "AAAA".repeat(20) };
    it.receive({ method: "process/output", params });
    it.receive({ params, method: "process/output" });
    expect(notified).toEqual([{ ...params, chunk: new Uint8Array(60) }, params]);
  });
});

describe("a request of the server's", () => {
  it("ends the connection before the first answer: it is an echo, most likely", async () => {
    const asked: string[] = [];
    const it = scriptedPeer({
      onRequest: (method) => {
        asked.push(method);
        return undefined;
      },
    });
    const call = failureOf(it.rpc.call(STATUS, null));
    it.receiver.onFrame(it.sent[0] as string);
    expect(await call).toMatchObject({
      reason: "The other side sent a request before the handshake",
      cause: { code: "ERR_PROTOCOL" },
      delivery: "unknown",
    });
    expect(asked).toEqual([]);
  });

  it("gets its answer with its own id, however late, but not after the end", async () => {
    const answers: ((result: unknown) => void)[] = [];
    const it = scriptedPeer({
      onRequest: (method) =>
        method === "known" ? new Promise((resolve) => answers.push(resolve)) : undefined,
    });
    void it.rpc.call(STATUS, null);
    it.receive({ id: 1, result: { status: "ready" } });
    for (const id of ["a", "b"]) it.receive({ id, method: "known" });
    it.receive({ id: 5, method: "unknown" });
    expect(it.message(-1)).toEqual({
      id: 5,
      error: { code: -32601, message: "The client does not implement this method" },
    });
    answers[0]?.({ a: 1 });
    await Promise.resolve();
    expect(it.message(-1)).toEqual({ id: "a", result: { a: 1 } });
    const sent = it.sent.length;
    it.receiver.onEnd({});
    answers[1]?.({});
    await Promise.resolve();
    expect(it.sent).toHaveLength(sent);
  });
});

describe("what is sent", () => {
  it("says a notification without an id", () => {
    const it = scriptedPeer();
    it.rpc.notify("initialized", {});
    expect(it.message(0)).toEqual({ method: "initialized", params: {} });
  });

  it("holds bytes as base64, written by the channel itself where it can", async () => {
    const payload = { name: "chunk", bytes: new Uint8Array([1, 2]) };
    const plain = scriptedPeer();
    void plain.rpc.request("x", { a: 1 }, undefined, { payload });
    expect(plain.message(0)).toEqual({ id: 1, method: "x", params: { a: 1, chunk: "AQI=" } });
    const given: unknown[] = [];
    const quick = scriptedPeer({}, { sendPayload: (...parts) => void given.push(parts) });
    void quick.rpc.request("x", { a: 1 }, undefined, { payload });
    expect(given).toEqual([['{"id":1,"method":"x","params":{"a":1,"chunk":"', payload.bytes, '"}}']]);
    expect(quick.sent).toEqual([]);
  });

  it("are the bytes of the moment of the call, also when they have to wait their turn", async () => {
    const it = scriptedPeer();
    const bytes = new Uint8Array([1, 2]);
    for (let n = 0; n < 128; n++) void it.rpc.request("x", {}, undefined);
    void it.rpc.request("x", { a: 1 }, undefined, { payload: { name: "chunk", bytes } });
    bytes.fill(0);
    it.receive({ id: 1, result: null });
    expect(it.message(-1)).toMatchObject({ id: 129, params: { chunk: "AQI=" } });
  });

  it("are the same bytes, uncopied, when they need not wait", () => {
    const given: unknown[] = [];
    const it = scriptedPeer({}, { sendPayload: (_, bytes) => void given.push(bytes) });
    const bytes = new Uint8Array([1, 2]);
    void it.rpc.request("x", { a: 1 }, undefined, { payload: { name: "chunk", bytes } });
    expect(given[0]).toBe(bytes);
  });

  it("is nothing for a call that ended before its turn, or that there can be no frame for", async () => {
    const it = scriptedPeer();
    expect(await failureOf(it.rpc.request("x", { a: 1n }, undefined))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
    });
    const aborted = it.rpc.request("x", {}, undefined, { signal: AbortSignal.abort("enough") });
    expect(await failureOf(aborted)).toBe("enough");
    expect(it.sent).toEqual([]);
    const controller = new AbortController();
    for (let n = 0; n < 128; n++) void it.rpc.request("x", {}, undefined);
    const waiting = failureOf(it.rpc.request("gone", {}, undefined, { signal: controller.signal }));
    void it.rpc.request("next", {}, undefined);
    controller.abort("enough");
    expect(await waiting).toBe("enough");
    it.receive({ id: it.message(0).id, result: null });
    expect(it.sent).toHaveLength(129);
    expect(it.message(-1)).toMatchObject({ method: "next" });
  });
});

describe("code of the user's", () => {
  it("does not run for a call that was given up, or comes too late", async () => {
    let traces = 0;
    const it = scriptedPeer({
      trace: () => {
        traces++;
        return undefined;
      },
    });
    for (let n = 0; n < 128; n++) it.rpc.request("x", {}, undefined).catch(() => {});
    const controller = new AbortController();
    const waiting = [
      failureOf(it.rpc.request("x", {}, undefined, { signal: controller.signal })),
      failureOf(it.rpc.request("x", {}, undefined)),
    ];
    controller.abort("enough");
    it.receiver.onEnd({});
    expect((await Promise.all(waiting))[0]).toBe("enough");
    await failureOf(it.rpc.request("x", {}, undefined));
    expect(traces).toBe(128);
  });

  it("that gives up the call it takes part in leaves its place to others", async () => {
    const it = scriptedPeer();
    for (let n = 0; n < 200; n++) {
      const controller = new AbortController();
      const params = { toJSON: () => controller.abort("enough") };
      expect(await failureOf(it.rpc.request("x", params, undefined, controller))).toBe("enough");
    }
    expect(it.sent).toEqual([]);
    void it.rpc.request("x", {}, undefined);
    expect(it.sent).toHaveLength(1);
  });
});

describe("an answer to nothing that is pending", () => {
  it.each([
    ["a result", { result: null }],
    ["an error", { error: { code: 1, message: "boom" } }],
    ["no answer at all", {}],
  ])("frees no place and proves nothing, be it %s", (_, answer) => {
    const it = scriptedPeer();
    for (let n = 0; n < 129; n++) it.rpc.request("x", {}, undefined).catch(() => {});
    it.receive({ id: 999, ...answer });
    expect(it.sent).toHaveLength(128);
    expect(it.rpc.failure).toBeUndefined();
    it.receive({ id: 1, method: "x" });
    expect(it.rpc.failure).toMatchObject({
      reason: "The other side sent a request before the handshake",
    });
  });
});

describe("a sign of life", () => {
  it("is asked for below the messages where the channel can, else by the quickest request, past those that wait", () => {
    let pings = 0;
    const pinging = scriptedPeer({}, { ping: async () => void pings++ });
    expect(pinging.rpc.canPing).toBe(true);
    void pinging.rpc.probe();
    expect([pings, pinging.sent.length]).toEqual([1, 0]);
    const plain = scriptedPeer();
    expect(plain.rpc.canPing).toBe(false);
    for (let n = 0; n < 130; n++) void plain.rpc.call("environment/info", null);
    void plain.rpc.probe();
    expect(plain.sent).toHaveLength(129);
    expect(plain.message(-1)).toEqual({ id: 129, method: STATUS, params: null });
  });

  it("comes behind what has not left yet, as far as that is known", () => {
    const flow = { pause() {}, resume() {}, drained: async () => {}, queuedBytes: 7 };
    expect(scriptedPeer({}, { flow }).rpc.queuedBytes).toBe(7);
    expect(scriptedPeer().rpc.queuedBytes).toBe(0);
  });
});
