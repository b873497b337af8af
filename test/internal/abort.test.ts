import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deadline, isAbortReason, onAbort, untilAborted } from "../../src/internal/abort.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { settledWithin } from "../../src/internal/timer.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const timedOut = new Error("too late");
const timeoutError = (): Error => timedOut;
const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

describe("deadline", () => {
  it("aborts with the error given, when the time has passed and not before", () => {
    const { signal } = deadline({ ms: 1_000, timeoutError });
    vi.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toBe(timedOut);
  });

  it("makes the error only when it is needed", () => {
    const makeError = vi.fn(timeoutError);
    deadline({ ms: 10, timeoutError: makeError }).clear();
    vi.advanceTimersByTime(100);
    expect(makeError).not.toHaveBeenCalled();
  });

  it("aborts with the caller's own reason, whatever it is", () => {
    for (const reason of [new Error("mine"), "text", 0, null]) {
      const caller = new AbortController();
      const { signal } = deadline({ ms: 10, signal: caller.signal, timeoutError });
      caller.abort(reason);
      vi.advanceTimersByTime(100);
      expect(signal.reason).toBe(reason);
    }
  });

  it("is aborted from the start when the caller's signal is", () => {
    const reason = new Error("mine");
    const parent = AbortSignal.abort(reason);
    const { signal } = deadline({ signal: parent, timeoutError });
    expect(signal.reason).toBe(reason);
    expect(listenersOf(parent)).toBe(0);
  });

  it("does nothing after it was cleared, and leaves neither timer nor listener behind", () => {
    const caller = new AbortController();
    const limit = deadline({ ms: 10, signal: caller.signal, timeoutError });
    expect([vi.getTimerCount(), listenersOf(caller.signal)]).toEqual([1, 1]);
    limit.clear();
    expect([vi.getTimerCount(), listenersOf(caller.signal)]).toEqual([0, 0]);
    caller.abort();
    vi.advanceTimersByTime(100);
    expect(limit.signal.aborted).toBe(false);
  });

  it("has no timer without a limit", () => {
    deadline({ timeoutError });
    deadline({ ms: undefined, timeoutError });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes what no timer can wait for as no limit", () => {
    const longest = deadline({ ms: 2 ** 31 - 1, timeoutError });
    expect(vi.getTimerCount()).toBe(1);
    longest.clear();
    for (const ms of [2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
      const { signal } = deadline({ ms, timeoutError });
      expect(vi.getTimerCount()).toBe(0);
      expect(signal.aborted).toBe(false);
    }
  });
});

describe("untilAborted", () => {
  it("is the work itself where nothing can abort", () => {
    const work = Promise.resolve(1);
    expect(untilAborted(work, undefined)).toBe(work);
  });

  it("passes the outcome on and takes its listener off the signal", async () => {
    const { signal } = new AbortController();
    const error = new Error("mine");
    await expect(untilAborted(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(untilAborted(Promise.reject(error), signal)).rejects.toBe(error);
    expect(listenersOf(signal)).toBe(0);
  });

  it("rejects with the reason as soon as it aborts, and gives a late value away", async () => {
    const caller = new AbortController();
    const work = deferred<string>();
    const onLate = vi.fn();
    const waited = untilAborted(work.promise, caller.signal, onLate);
    caller.abort("enough");
    await expect(waited).rejects.toBe("enough");
    expect(onLate).not.toHaveBeenCalled();
    work.resolve("late");
    await work.promise;
    expect(onLate).toHaveBeenCalledExactlyOnceWith("late");
    expect(listenersOf(caller.signal)).toBe(0);
  });

  it("rejects at once for a signal that is aborted already, even if the work is done", async () => {
    const onLate = vi.fn();
    await expect(untilAborted(Promise.resolve(1), AbortSignal.abort("no"), onLate)).rejects.toBe("no");
    expect(onLate).toHaveBeenCalledExactlyOnceWith(1);
  });

  it("keeps a value that came in time to itself", async () => {
    const caller = new AbortController();
    const onLate = vi.fn();
    await untilAborted(Promise.resolve(1), caller.signal, onLate);
    caller.abort();
    expect(onLate).not.toHaveBeenCalled();
  });

  it("lets neither a late failure nor a failing receiver become an unhandled rejection", async () => {
    vi.useRealTimers();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const late = deferred<void>();
    const failing = (): never => {
      throw new Error("mine");
    };
    await Promise.allSettled([
      untilAborted(late.promise, AbortSignal.abort()),
      untilAborted(Promise.resolve(), AbortSignal.abort(), failing),
    ]);
    late.reject(new Error("late"));
    // Node decides what is unhandled once the microtasks are done, before the next immediate.
    await new Promise(setImmediate);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("settledWithin", () => {
  it.each([
    ["succeeds", () => Promise.resolve()],
    ["fails", () => Promise.reject(new Error("ignored"))],
  ])("ends when the work %s, and leaves no timer", async (_, work) => {
    await settledWithin(work(), 1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits no longer than it was told", async () => {
    const done = vi.fn();
    const waited = settledWithin(new Promise(() => {}), 1_000).then(done);
    await vi.advanceTimersByTimeAsync(999);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await waited;
    expect(done).toHaveBeenCalledTimes(1);
  });
});

describe("onAbort", () => {
  it("puts one listener on a signal, however many wait, and takes it off with the last", () => {
    const { signal } = new AbortController();
    const undo = Array.from({ length: 100 }, () => onAbort(signal, () => {}));
    expect(listenersOf(signal)).toBe(1);
    for (const takeBack of undo.slice(1)) takeBack();
    expect(listenersOf(signal)).toBe(1);
    undo[0]?.();
    undo[0]?.();
    expect(listenersOf(signal)).toBe(0);
  });

  it("calls everyone once, in the order in which they came, one function registered twice both times", () => {
    const controller = new AbortController();
    const calls: number[] = [];
    const twice = (): void => void calls.push(2);
    onAbort(controller.signal, () => calls.push(1));
    onAbort(controller.signal, twice);
    onAbort(controller.signal, twice);
    controller.abort();
    controller.abort();
    expect(calls).toEqual([1, 2, 2]);
  });

  it("does not call who was taken back, not even by one called before", () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const undo: (() => void)[] = [];
    onAbort(controller.signal, () => undo[0]?.());
    undo.push(onAbort(controller.signal, () => calls.push("taken back")));
    onAbort(controller.signal, () => calls.push("stayed"));
    controller.abort();
    expect(calls).toEqual(["stayed"]);
  });

  it("listens again after everyone had left", () => {
    const controller = new AbortController();
    onAbort(controller.signal, () => {})();
    let called = false;
    onAbort(controller.signal, () => {
      called = true;
    });
    controller.abort();
    expect(called).toBe(true);
  });
});

describe("isAbortReason", () => {
  it("holds for the reason of the signal that aborted, whatever it is", () => {
    const controller = new AbortController();
    const reason = new TypeError("enough");
    expect(isAbortReason(reason, controller.signal)).toBe(false);
    controller.abort(reason);
    expect(isAbortReason(reason, controller.signal)).toBe(true);
    expect(isAbortReason(new TypeError("enough"), controller.signal)).toBe(false);
    expect(isAbortReason(undefined, undefined)).toBe(false);
  });
});
