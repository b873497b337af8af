import { getEventListeners } from "node:events";
import { expect, it, vi } from "vitest";
import { type Deferred, deferred } from "../../src/internal/deferred.ts";
import { SingleFlight } from "../../src/internal/single-flight.ts";

/** Attempts that the test settles. */
function attempts() {
  const started: (Deferred<object> & { readonly signal: AbortSignal })[] = [];
  const attempt = (signal: AbortSignal): Promise<object> => {
    const outcome = deferred<object>();
    started.push({ ...outcome, signal });
    return outcome.promise;
  };
  const nth = (n: number) => started[n - 1] ?? expect.fail(`attempt ${n} was never started`);
  return { attempt, started, nth };
}

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

it("makes one attempt and resolves all callers with the same value", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, started, nth } = attempts();
  const waiters = [
    flight.join(attempt),
    flight.join(attempt, new AbortController().signal),
    flight.join(attempt),
  ];
  const value = {};
  nth(1).resolve(value);
  for (const outcome of await Promise.all(waiters)) expect(outcome).toBe(value);
  expect(started).toHaveLength(1);
});

it("rejects all callers with the same error object, and does not cache the failure", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const waiters = [flight.join(attempt), flight.join(attempt, new AbortController().signal)];
  const error = new Error("refused");
  nth(1).reject(error);
  for (const outcome of await Promise.allSettled(waiters)) {
    expect(outcome).toEqual({ status: "rejected", reason: error });
    expect((outcome as PromiseRejectedResult).reason).toBe(error);
  }
  const again = flight.join(attempt);
  nth(2).resolve({ second: true });
  await expect(again).resolves.toEqual({ second: true });
});

it("does not cache the value: the next caller starts a new attempt", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, started, nth } = attempts();
  const first = flight.join(attempt);
  nth(1).resolve({});
  await first;
  void flight.join(attempt);
  expect(started).toHaveLength(2);
});

it("ends only the wait of the caller that aborts", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const aborted = flight.join(attempt, caller.signal);
  const waiting = flight.join(attempt);
  const reason = new Error("enough");
  caller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  expect(nth(1).signal.aborted).toBe(false);
  const value = {};
  nth(1).resolve(value);
  await expect(waiting).resolves.toBe(value);
});

it("aborts the attempt when no caller waits any more, and starts a new one for the next caller", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const callers = [new AbortController(), new AbortController()];
  const waiters = callers.map(({ signal }) => flight.join(attempt, signal));
  callers[0]?.abort("first");
  expect(nth(1).signal.aborted).toBe(false);
  callers[1]?.abort("last");
  expect(nth(1).signal.reason).toBe("last");

  const next = flight.join(attempt);
  expect(nth(2).signal.aborted).toBe(false);
  const value = {};
  // The abandoned attempt can still settle without affecting the new one.
  nth(1).resolve({ stale: true });
  await Promise.allSettled(waiters);
  nth(2).resolve(value);
  await expect(next).resolves.toBe(value);
  await expect(Promise.allSettled(waiters)).resolves.toMatchObject([{ reason: "first" }, { reason: "last" }]);
});

it("rejects a caller whose signal is already aborted, without an attempt and without counting it", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, started } = attempts();
  await expect(flight.join(attempt, AbortSignal.abort("gone"))).rejects.toBe("gone");
  expect(started).toEqual([]);

  const caller = new AbortController();
  const waiting = flight.join(attempt, caller.signal);
  await expect(flight.join(attempt, AbortSignal.abort("gone"))).rejects.toBe("gone");
  caller.abort("last");
  await expect(waiting).rejects.toBe("last");
  expect(started.every(({ signal }) => signal.aborted)).toBe(true);
});

it("abandons an attempt whose synchronous part aborts the only caller", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const waiting = flight.join((signal) => {
    caller.abort("gone");
    return attempt(signal);
  }, caller.signal);
  await expect(waiting).rejects.toBe("gone");
  expect(nth(1).signal.reason).toBe("gone");
});

it("continues for the first caller if another one joins and aborts during the synchronous part", async () => {
  const flight: SingleFlight<object> = new SingleFlight();
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const joined: Promise<object>[] = [];
  const waiting = flight.join((signal) => {
    joined.push(flight.join(attempt, caller.signal));
    caller.abort("gone");
    return attempt(signal);
  });
  await expect(joined[0]).rejects.toBe("gone");
  expect(nth(1).signal.aborted).toBe(false);
  const value = {};
  nth(1).resolve(value);
  await expect(waiting).resolves.toBe(value);
});

it("does not abort a settled attempt when a caller's signal aborts later", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const waiter = flight.join(attempt, caller.signal);
  nth(1).resolve({});
  await waiter;
  caller.abort();
  expect(nth(1).signal.aborted).toBe(false);
});

it("removes its listeners from a long-lived signal when the attempt resolves or rejects", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const { signal } = new AbortController();
  const good = [flight.join(attempt, signal), flight.join(attempt, signal)];
  nth(1).resolve({});
  await Promise.all(good);
  expect(listenersOf(signal)).toBe(0);
  const bad = flight.join(attempt, signal);
  nth(2).reject(new Error("refused"));
  await Promise.allSettled([bad]);
  expect(listenersOf(signal)).toBe(0);
});

it("rejects all callers on abort(), which has no effect without an attempt", async () => {
  const flight = new SingleFlight<object>();
  const reason = new Error("closed");
  flight.abort(reason);
  const untilAbort = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const waiters = [flight.join(untilAbort), flight.join(untilAbort, new AbortController().signal)];
  flight.abort(reason);
  for (const waiter of waiters) await expect(waiter).rejects.toBe(reason);
});

it("causes no unhandled rejection if all callers have aborted before the failure", async () => {
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const waiter = flight.join(attempt, caller.signal);
  caller.abort("gone");
  await expect(waiter).rejects.toBe("gone");
  nth(1).reject(new Error("no caller is left"));
  // Node reports unhandled rejections after the microtasks, before the next immediate.
  await new Promise(setImmediate);
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

it("reports a failed attempt once, with its error, or with undefined if the attempt was abandoned", async () => {
  const reported: unknown[] = [];
  const flight: SingleFlight<object> = new SingleFlight((error) => {
    reported.push(error);
    // The callback can start a new attempt.
    if (reported.length === 1) void flight.join(attempt, caller.signal).catch(() => {});
  });
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const failed = flight.join(attempt);
  const error = new Error("refused");
  nth(1).reject(error);
  await expect(failed).rejects.toBe(error);
  caller.abort("gone");
  nth(2).reject(new Error("late"));
  await new Promise(setImmediate);
  expect(reported).toEqual([error, undefined]);
});

it("reports an aborted attempt once, even if its last caller aborts later", async () => {
  const reported: unknown[] = [];
  const flight = new SingleFlight<object>((error) => reported.push(error));
  const { attempt } = attempts();
  const caller = new AbortController();
  const waiting = flight.join(attempt, caller.signal);
  flight.abort("closed");
  caller.abort("gone");
  await expect(waiting).rejects.toBe("gone");
  expect(reported).toEqual([undefined]);
});

it("does not report an abandoned attempt if its abort has started the next one", async () => {
  const reported: unknown[] = [];
  const flight = new SingleFlight<object>((error) => reported.push(error));
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const waiting = flight.join(attempt, caller.signal);
  const next: Promise<object>[] = [];
  nth(1).signal.addEventListener("abort", () => next.push(flight.join(attempt)));
  caller.abort("gone");
  await expect(waiting).rejects.toBe("gone");
  expect(reported).toEqual([]);
  const error = new Error("refused");
  nth(2).reject(error);
  await expect(next[0]).rejects.toBe(error);
  expect(reported).toEqual([error]);
});
