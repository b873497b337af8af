import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ServerError } from "../../src/errors/server.ts";
import { Call, type CallOptions } from "../../src/rpc/call.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const numbers = {
  safeParse: (value: unknown) =>
    typeof value === "number" ? { success: true as const, data: value } : { success: false as const },
};

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** A call whose result is a number, and the values with which it was settled. */
function setUp(options: CallOptions = {}) {
  const outcomes: unknown[] = [];
  const settle = (outcome: unknown): void => void outcomes.push(outcome);
  const waiter = { resolve: settle, reject: settle };
  const call = new Call<number>(
    { method: "x", params: { a: 1 } },
    numbers as never,
    options,
    "session-1",
    waiter,
  );
  return { call, outcomes };
}

describe("a call", () => {
  it("is pending until its response, and settles once", () => {
    const { call, outcomes } = setUp();
    expect(call.isPending).toBe(true);
    call.respond(5);
    expect(call.isPending).toBe(false);
    call.respond(6);
    call.fail(new Error("late"));
    expect(outcomes).toEqual([5]);
  });

  it("rejects a result of the wrong shape, and accepts every result without a schema", () => {
    const checked = setUp();
    checked.call.respond("five");
    expect(checked.outcomes).toMatchObject([
      {
        code: "ERR_PROTOCOL",
        message: "The server's answer to x has the wrong shape",
        sessionId: "session-1",
        delivery: "answered",
      },
    ]);
    const results: unknown[] = [];
    const waiter = { resolve: (result: unknown) => results.push(result), reject: () => {} };
    new Call({ method: "x", params: {} }, undefined, {}, undefined, waiter).respond("five");
    expect(results).toEqual(["five"]);
  });

  it("copies its bytes when it is queued", () => {
    const bytes = new Uint8Array([1, 2]);
    const { call } = setUp({ payload: { name: "chunk", bytes } });
    expect(call.payload?.bytes).toBe(bytes);
    call.keepPayload();
    bytes.fill(0);
    expect(call.payload).toEqual({ name: "chunk", bytes: new Uint8Array([1, 2]) });
    const plain = setUp();
    plain.call.keepPayload();
    expect(plain.call.payload).toBeUndefined();
  });
});

describe("the wait for the response", () => {
  it("rejects with the signal's reason, and removes its listener when the response comes first", () => {
    const controller = new AbortController();
    const answered = setUp({ signal: controller.signal });
    answered.call.respond(5);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    const aborted = setUp({ signal: controller.signal });
    controller.abort("enough");
    aborted.call.respond(6);
    expect([answered.outcomes, aborted.outcomes]).toEqual([[5], ["enough"]]);
  });

  it.each(["not-sent", "unknown"] as const)(
    "rejects after timeoutMs, with the delivery at that time: %s",
    (delivery) => {
      const { call, outcomes } = setUp({ timeoutMs: 1_000 });
      vi.advanceTimersByTime(999);
      expect(outcomes).toEqual([]);
      call.delivery = delivery;
      vi.advanceTimersByTime(1);
      expect(outcomes).toMatchObject([
        { code: "ERR_TIMEOUT", message: "No answer within 1000 ms", sessionId: "session-1", delivery },
      ]);
    },
  );

  it.each([
    ["a response", (call: Call<number>) => call.respond(5)],
    ["an error", (call: Call<number>) => call.fail(new ServerError("boom", { rpcCode: 1 }))],
  ])("clears its timer when it ends with %s", (_, end) => {
    const { call } = setUp({ timeoutMs: 1_000 });
    expect(vi.getTimerCount()).toBe(1);
    end(call);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("has no timer without a timeout", () => {
    setUp();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the params and bytes of a call", () => {
  /** A call with params and bytes to which nothing else holds a reference. */
  function setUpLarge(signal: AbortSignal) {
    const params = { text: "large" };
    const bytes = new Uint8Array(100);
    const payload = { name: "chunk", bytes };
    const waiter = { resolve: () => {}, reject: () => {} };
    const call = new Call<number>(
      { method: "x", params },
      numbers as never,
      { signal, payload },
      undefined,
      waiter,
    );
    return { call, kept: [new WeakRef(params), new WeakRef(payload), new WeakRef(bytes)] };
  }

  it.each([
    ["an abort", (_: Call<number>, controller: AbortController) => controller.abort("enough")],
    ["a response", (call: Call<number>) => call.respond(5)],
  ])("are released by %s, although the call may stay queued or in flight", async (_, end) => {
    vi.useRealTimers();
    const controller = new AbortController();
    const { call, kept } = setUpLarge(controller.signal);
    end(call, controller);
    // The target of a new WeakRef is kept until the end of the turn.
    await new Promise(setImmediate);
    collectGarbage();
    expect(kept.map((reference) => reference.deref())).toEqual([undefined, undefined, undefined]);
    expect(call).toMatchObject({ isPending: false, method: "x", params: undefined, payload: undefined });
  });
});

describe("a signal and a timeout with untilSent", () => {
  it.each([
    ["an abort", (controller: AbortController) => controller.abort("enough"), "enough"],
    ["a timeout", () => vi.advanceTimersByTime(10), { code: "ERR_TIMEOUT", delivery: "not-sent" }],
  ])(
    "reject the call on %s before the request is sent, and leave it pending afterwards",
    (_, expire, outcome) => {
      const controller = new AbortController();
      const options = { signal: controller.signal, timeoutMs: 10, untilSent: true };
      const [queued, sent] = [setUp(options), setUp(options)];
      sent.call.delivery = "unknown";
      expire(controller);
      expect(queued.outcomes).toEqual([
        typeof outcome === "string" ? outcome : expect.objectContaining(outcome),
      ]);
      expect(sent.outcomes).toEqual([]);
      sent.call.respond(5);
      expect(sent.outcomes).toEqual([5]);
    },
  );
});
