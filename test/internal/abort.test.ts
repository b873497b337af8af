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
  it("aborts with the timeout error exactly when the time has passed", () => {
    const { signal } = deadline({ ms: 1_000, timeoutError });
    vi.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toBe(timedOut);
  });

  it("creates the error only at the timeout", () => {
    const makeError = vi.fn(timeoutError);
    deadline({ ms: 10, timeoutError: makeError }).clear();
    vi.advanceTimersByTime(100);
    expect(makeError).not.toHaveBeenCalled();
  });

  it("aborts with the caller's reason, of any type", () => {
    for (const reason of [new Error("mine"), "text", 0, null]) {
      const caller = new AbortController();
      const { signal } = deadline({ ms: 10, signal: caller.signal, timeoutError });
      caller.abort(reason);
      vi.advanceTimersByTime(100);
      expect(signal.reason).toBe(reason);
    }
  });

  it("is aborted from the start if the caller's signal is aborted", () => {
    const reason = new Error("mine");
    const parent = AbortSignal.abort(reason);
    const { signal } = deadline({ signal: parent, timeoutError });
    expect(signal.reason).toBe(reason);
    expect(listenersOf(parent)).toBe(0);
  });

  it("does nothing after clear(), and leaves neither timer nor listener", () => {
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

  it("has no timer for a time beyond the range of timers", () => {
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
  it("returns the work itself without a signal", () => {
    const work = Promise.resolve(1);
    expect(untilAborted(work, undefined)).toBe(work);
  });

  it("settles like the work and removes its listener from the signal", async () => {
    const { signal } = new AbortController();
    const error = new Error("mine");
    await expect(untilAborted(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(untilAborted(Promise.reject(error), signal)).rejects.toBe(error);
    expect(listenersOf(signal)).toBe(0);
  });

  it("rejects with the reason on abort, and passes a late value to onLate", async () => {
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

  it("rejects at once for an aborted signal, even if the work has settled", async () => {
    const onLate = vi.fn();
    await expect(untilAborted(Promise.resolve(1), AbortSignal.abort("no"), onLate)).rejects.toBe("no");
    expect(onLate).toHaveBeenCalledExactlyOnceWith(1);
  });

  it("does not pass a value that arrived before the abort to onLate", async () => {
    const caller = new AbortController();
    const onLate = vi.fn();
    await untilAborted(Promise.resolve(1), caller.signal, onLate);
    caller.abort();
    expect(onLate).not.toHaveBeenCalled();
  });

  it("causes no unhandled rejection for a late failure or a throwing onLate", async () => {
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
    // Node reports unhandled rejections after the microtasks, before the next immediate.
    await new Promise(setImmediate);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("settledWithin", () => {
  it.each([
    ["resolves", () => Promise.resolve()],
    ["rejects", () => Promise.reject(new Error("ignored"))],
  ])("resolves when the work %s, and leaves no timer", async (_, work) => {
    await settledWithin(work(), 1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits at most the given time", async () => {
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
  it("adds one listener for any number of callbacks, and removes the listener with the last one", () => {
    const { signal } = new AbortController();
    const cancels = Array.from({ length: 100 }, () => onAbort(signal, () => {}));
    expect(listenersOf(signal)).toBe(1);
    for (const cancel of cancels.slice(1)) cancel();
    expect(listenersOf(signal)).toBe(1);
    cancels[0]?.();
    cancels[0]?.();
    expect(listenersOf(signal)).toBe(0);
  });

  it("calls each callback once, in order, and a function registered twice two times", () => {
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

  it("does not call a cancelled callback, even one cancelled by an earlier callback", () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const cancels: (() => void)[] = [];
    onAbort(controller.signal, () => cancels[0]?.());
    cancels.push(onAbort(controller.signal, () => calls.push("cancelled")));
    onAbort(controller.signal, () => calls.push("registered"));
    controller.abort();
    expect(calls).toEqual(["registered"]);
  });

  it("listens again after all callbacks were cancelled", () => {
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
  it("is true for the reason of an aborted signal only", () => {
    const controller = new AbortController();
    const reason = new TypeError("enough");
    expect(isAbortReason(reason, controller.signal)).toBe(false);
    controller.abort(reason);
    expect(isAbortReason(reason, controller.signal)).toBe(true);
    expect(isAbortReason(new TypeError("enough"), controller.signal)).toBe(false);
    expect(isAbortReason(undefined, undefined)).toBe(false);
  });
});
