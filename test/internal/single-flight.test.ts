import { getEventListeners } from "node:events";
import { expect, it, vi } from "vitest";
import { type Deferred, deferred } from "../../src/internal/deferred.ts";
import { SingleFlight } from "../../src/internal/single-flight.ts";

/** Attempts that a test ends as it likes. */
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

it("makes one attempt and gives everyone the same value", async () => {
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

it("gives everyone the same error object, and forgets the failure", async () => {
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

it("keeps no value: the next caller starts a new attempt", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, started, nth } = attempts();
  const first = flight.join(attempt);
  nth(1).resolve({});
  await first;
  void flight.join(attempt);
  expect(started).toHaveLength(2);
});

it("ends only the wait of the one who aborts", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const impatient = flight.join(attempt, caller.signal);
  const patient = flight.join(attempt);
  const reason = new Error("enough");
  caller.abort(reason);
  await expect(impatient).rejects.toBe(reason);
  expect(nth(1).signal.aborted).toBe(false);
  const value = {};
  nth(1).resolve(value);
  await expect(patient).resolves.toBe(value);
});

it("aborts the attempt when the last waiter has gone, and starts afresh for the next one", async () => {
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
  // The abandoned attempt may still end, in whatever way, without disturbing the new one.
  nth(1).resolve({ stale: true });
  await Promise.allSettled(waiters);
  nth(2).resolve(value);
  await expect(next).resolves.toBe(value);
  await expect(Promise.allSettled(waiters)).resolves.toMatchObject([{ reason: "first" }, { reason: "last" }]);
});

it("neither starts for nor counts a caller whose signal is aborted already", async () => {
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

it("abandons an attempt whose first step ends the only wait for it", async () => {
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

it("goes on for the one who started it when somebody joins and leaves during its first step", async () => {
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

it("does not abort an attempt that has settled, when the signals of its waiters abort later", async () => {
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const waiter = flight.join(attempt, caller.signal);
  nth(1).resolve({});
  await waiter;
  caller.abort();
  expect(nth(1).signal.aborted).toBe(false);
});

it("takes its listeners off a long-lived signal, whichever way the attempt ends", async () => {
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

it("ends the attempt for everyone when told to, and nothing when there is none", async () => {
  const flight = new SingleFlight<object>();
  const reason = new Error("closed");
  flight.abort(reason);
  const honest = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const waiters = [flight.join(honest), flight.join(honest, new AbortController().signal)];
  flight.abort(reason);
  for (const waiter of waiters) await expect(waiter).rejects.toBe(reason);
});

it("never causes an unhandled rejection when everyone who could see the failure has left", async () => {
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  const flight = new SingleFlight<object>();
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const waiter = flight.join(attempt, caller.signal);
  caller.abort("gone");
  await expect(waiter).rejects.toBe("gone");
  nth(1).reject(new Error("nobody is there to see it"));
  // Node decides what is unhandled once the microtasks are done, before the next immediate.
  await new Promise(setImmediate);
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

it("tells once of an attempt given up, after it is forgotten: with its error, or without for an abandoned one", async () => {
  const told: unknown[] = [];
  const flight: SingleFlight<object> = new SingleFlight((error) => {
    told.push(error);
    // A new attempt may begin right here.
    if (told.length === 1) void flight.join(attempt, caller.signal).catch(() => {});
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
  expect(told).toEqual([error, undefined]);
});

it("tells nothing more of an attempt that was ended, when its last waiter leaves", async () => {
  const told: unknown[] = [];
  const flight = new SingleFlight<object>((error) => told.push(error));
  const { attempt } = attempts();
  const caller = new AbortController();
  const waiting = flight.join(attempt, caller.signal);
  flight.abort("closed");
  caller.abort("gone");
  await expect(waiting).rejects.toBe("gone");
  expect(told).toEqual([undefined]);
});

it("tells nothing of an attempt that was abandoned when its end has begun the next one", async () => {
  const told: unknown[] = [];
  const flight = new SingleFlight<object>((error) => told.push(error));
  const { attempt, nth } = attempts();
  const caller = new AbortController();
  const waiting = flight.join(attempt, caller.signal);
  const next: Promise<object>[] = [];
  nth(1).signal.addEventListener("abort", () => next.push(flight.join(attempt)));
  caller.abort("gone");
  await expect(waiting).rejects.toBe("gone");
  expect(told).toEqual([]);
  const error = new Error("refused");
  nth(2).reject(error);
  await expect(next[0]).rejects.toBe(error);
  expect(told).toEqual([error]);
});
