import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Liveness } from "../../../src/transport/message-port/liveness.ts";

const MS = 30_000;
const SLICE = MS / 5;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function watched(ms = MS) {
  const events: string[] = [];
  const liveness = new Liveness(
    ms,
    () => events.push("ping"),
    () => events.push("silent"),
  );
  liveness.watch();
  return { liveness, events };
}

/** Advances the clock, but fires no timer before its end: the machine sleeps, or the page is throttled or suspended. */
function suspend(ms: number): void {
  vi.setSystemTime(Date.now() + ms - SLICE);
  vi.advanceTimersByTime(SLICE);
}

describe("Liveness", () => {
  test("reports silence after the stated time, at most a fifth later", () => {
    const { events } = watched();
    vi.advanceTimersByTime(MS);
    expect(events).toEqual(["ping"]);
    vi.advanceTimersByTime(SLICE);
    expect(events).toEqual(["ping", "silent"]);
  });

  test("restarts the time and pings again after each message of the peer", () => {
    const { liveness, events } = watched();
    for (let n = 0; n < 20; n++) {
      vi.advanceTimersByTime(MS - 1);
      liveness.heard();
    }
    expect(new Set(events)).toEqual(new Set(["ping"]));
    expect(events.length).toBeGreaterThanOrEqual(20);
  });

  test("does not count time without running timers, and pings once during it", () => {
    const { liveness, events } = watched();
    // One timer per minute, as in a throttled page. Then eight hours of sleep.
    for (let n = 0; n < 100; n++) suspend(60_000);
    suspend(8 * 60 * 60_000);
    expect(events).toEqual(["ping"]);
    // After each suspension the peer gets the whole time again.
    vi.advanceTimersByTime(MS - SLICE);
    suspend(60_000);
    vi.advanceTimersByTime(MS);
    expect(events).toEqual(["ping"]);
    liveness.heard();

    // Time with running timers counts.
    vi.advanceTimersByTime(MS + SLICE);
    expect(events).toEqual(["ping", "ping", "silent"]);
  });

  test("does not count time while its page is hidden", () => {
    const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
    vi.stubGlobal("document", page);
    const { events } = watched();
    vi.advanceTimersByTime(10 * MS);
    expect(events).toEqual([]);
    page.visibilityState = "visible";
    page.dispatchEvent(new Event("visibilitychange"));
    expect(events).toEqual(["ping"]);
    vi.advanceTimersByTime(MS + SLICE);
    expect(events).toEqual(["ping", "silent"]);
  });

  test("reports nothing once stopped, and leaves no timer", () => {
    const { liveness, events } = watched();
    liveness.watch();
    liveness.stop();
    liveness.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(10 * MS);
    expect(events).toEqual([]);
  });

  test("never pings if the time is Infinity", () => {
    const { events } = watched(Number.POSITIVE_INFINITY);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(10 * MS);
    expect(events).toEqual([]);
  });
});
