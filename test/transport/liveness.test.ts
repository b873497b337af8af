import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Liveness } from "../../src/transport/liveness.ts";

const MS = 30_000;
const SLICE = MS / 5;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watched(ms = MS) {
  const events: string[] = [];
  const liveness = new Liveness(
    ms,
    () => events.push("asked"),
    () => events.push("silent"),
  );
  liveness.watch();
  return { liveness, events };
}

/** The time passes, but no timer fires in it until its end: the machine sleeps, the page is throttled or stands still. */
function standStill(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

test("calls silence what lasts as long as stated, and at most a fifth longer", () => {
  const { events } = watched();
  vi.advanceTimersByTime(MS);
  expect(events).toEqual(["asked"]);
  vi.advanceTimersByTime(SLICE);
  expect(events).toEqual(["asked", "silent"]);
});

test("takes whatever is heard for a sign of life, and asks again", () => {
  const { liveness, events } = watched();
  for (let n = 0; n < 20; n++) {
    vi.advanceTimersByTime(MS - 1);
    liveness.heard();
  }
  expect(new Set(events)).toEqual(new Set(["asked"]));
  expect(events.length).toBeGreaterThanOrEqual(20);
});

test("asks once for each silence, however long it may last", () => {
  const { events } = watched();
  for (let n = 0; n < 100; n++) {
    standStill(60_000);
    vi.advanceTimersByTime(SLICE);
  }
  expect(events).toEqual(["asked"]);
});

test("does not judge by time in which its own timers stood still", () => {
  const { liveness, events } = watched();
  // Once a minute, as in a hidden page.
  for (let n = 0; n < 60; n++) {
    standStill(60_000 - SLICE);
    vi.advanceTimersByTime(SLICE);
  }
  // A night's sleep.
  standStill(8 * 60 * 60_000);
  vi.advanceTimersByTime(SLICE);
  expect(events).toEqual(["asked"]);
  liveness.heard();

  // But by the time in which they ran.
  vi.advanceTimersByTime(MS + SLICE);
  expect(events).toEqual(["asked", "asked", "silent"]);
});

test("does not count what comes too early, either: timers catch up after a stand-still", () => {
  const { events } = watched();
  for (let n = 0; n < 100; n++) {
    vi.setSystemTime(Date.now() - SLICE + 1);
    vi.advanceTimersByTime(SLICE);
  }
  expect(events).toEqual(["asked"]);
});

test("says nothing once stopped, and leaves no timer", () => {
  const { liveness, events } = watched();
  liveness.watch();
  liveness.stop();
  liveness.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(10 * MS);
  expect(events).toEqual([]);
});

test.each([Number.POSITIVE_INFINITY, 2 ** 53])("never asks if %d ms may pass", (ms) => {
  const { events } = watched(ms);
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(10 * MS);
  expect(events).toEqual([]);
});
