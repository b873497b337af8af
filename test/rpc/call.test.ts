import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ServerError } from "../../src/errors.ts";
import { Call, type CallOptions } from "../../src/rpc/call.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const numbers = {
  safeParse: (value: unknown) =>
    typeof value === "number" ? { success: true as const, data: value } : { success: false as const },
};

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** A call of something that gives a number, and how its wait ended, if it did. */
function setUp(options: CallOptions = {}) {
  const outcomes: unknown[] = [];
  const settle = (outcome: unknown): void => void outcomes.push(outcome);
  const waiter = { resolve: settle, reject: settle };
  const call = new Call<number>("x", { a: 1 }, numbers as never, options, "session-1", waiter);
  return { call, outcomes };
}

describe("a call", () => {
  it("is awaited until its answer comes, and ends once", () => {
    const { call, outcomes } = setUp();
    expect(call.isPending).toBe(true);
    call.respond(5);
    expect(call.isPending).toBe(false);
    call.respond(6);
    call.fail(new Error("late"));
    expect(outcomes).toEqual([5]);
  });

  it("fails if its answer has the wrong shape, and takes any where nobody knows the right one", () => {
    const known = setUp();
    known.call.respond("five");
    expect(known.outcomes).toMatchObject([
      {
        code: "ERR_PROTOCOL",
        message: "The server's answer to x has the wrong shape",
        sessionId: "session-1",
        delivery: "answered",
      },
    ]);
    const results: unknown[] = [];
    const waiter = { resolve: (result: unknown) => results.push(result), reject: () => {} };
    new Call("x", {}, undefined, {}, undefined, waiter).respond("five");
    expect(results).toEqual(["five"]);
  });

  it("that has to wait its turn keeps its own copy of its bytes", () => {
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

describe("the wait", () => {
  it("ends with the signal's reason, and leaves nothing at the signal when the answer was quicker", () => {
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
    "ends after the stated time, and says what is known of the request then: %s",
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
    ["an answer", (call: Call<number>) => call.respond(5)],
    ["an error", (call: Call<number>) => call.fail(new ServerError("boom", { rpcCode: 1 }))],
  ])("leaves no timer behind when it ends with %s", (_, end) => {
    const { call } = setUp({ timeoutMs: 1_000 });
    expect(vi.getTimerCount()).toBe(1);
    end(call);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("has no timer when nobody limits it", () => {
    setUp();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("what a call was to send", () => {
  /** A call with large params and bytes, of which nobody else keeps any. */
  function setUpLarge(signal: AbortSignal) {
    const params = { text: "large" };
    const bytes = new Uint8Array(100);
    const payload = { name: "chunk", bytes };
    const waiter = { resolve: () => {}, reject: () => {} };
    const call = new Call<number>("x", params, numbers as never, { signal, payload }, undefined, waiter);
    return { call, kept: [new WeakRef(params), new WeakRef(payload), new WeakRef(bytes)] };
  }

  it.each([
    ["an abort", (_: Call<number>, controller: AbortController) => controller.abort("enough")],
    ["an answer", (call: Call<number>) => call.respond(5)],
  ])("is given free by %s, although the call may be kept until its turn or its answer", async (_, end) => {
    vi.useRealTimers();
    const controller = new AbortController();
    const { call, kept } = setUpLarge(controller.signal);
    end(call, controller);
    // What a WeakRef gave stays until the end of the turn.
    await new Promise(setImmediate);
    collectGarbage();
    expect(kept.map((reference) => reference.deref())).toEqual([undefined, undefined, undefined]);
    expect(call).toMatchObject({ isPending: false, method: "x", params: undefined, payload: undefined });
  });
});

describe("a wait that is limited only until the request is sent", () => {
  it.each([
    ["an abort", (controller: AbortController) => controller.abort("enough"), "enough"],
    ["a timeout", () => vi.advanceTimersByTime(10), { code: "ERR_TIMEOUT", delivery: "not-sent" }],
  ])("is ended by %s before that, and by its answer after it", (_, limit, outcome) => {
    const controller = new AbortController();
    const options = { signal: controller.signal, timeoutMs: 10, untilSent: true };
    const [waiting, sent] = [setUp(options), setUp(options)];
    sent.call.delivery = "unknown";
    limit(controller);
    expect(waiting.outcomes).toEqual([
      typeof outcome === "string" ? outcome : expect.objectContaining(outcome),
    ]);
    expect(sent.outcomes).toEqual([]);
    sent.call.respond(5);
    expect(sent.outcomes).toEqual([5]);
  });
});
