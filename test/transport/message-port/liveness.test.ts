import { afterEach, beforeEach, expect, test, vi } from "vitest";
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
    () => events.push("asked"),
    () => events.push("silent"),
  );
  liveness.watch();
  return { liveness, events };
}

/** The time passes, but no timer fires in it until its end: the machine sleeps, the page is throttled or stands still. */
function standStill(ms: number): void {
  vi.setSystemTime(Date.now() + ms - SLICE);
  vi.advanceTimersByTime(SLICE);
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

test("does not judge by time in which its own timers stood still, and asks once however long that lasts", () => {
  const { liveness, events } = watched();
  // Once a minute, as in a page that is throttled; then a night's sleep.
  for (let n = 0; n < 100; n++) standStill(60_000);
  standStill(8 * 60 * 60_000);
  expect(events).toEqual(["asked"]);
  // After which the other side gets its whole time again.
  vi.advanceTimersByTime(MS - SLICE);
  standStill(60_000);
  vi.advanceTimersByTime(MS);
  expect(events).toEqual(["asked"]);
  liveness.heard();

  // But it judges by the time in which they ran.
  vi.advanceTimersByTime(MS + SLICE);
  expect(events).toEqual(["asked", "asked", "silent"]);
});

test("does not judge while its page is hidden", () => {
  const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  vi.stubGlobal("document", page);
  const { events } = watched();
  vi.advanceTimersByTime(10 * MS);
  expect(events).toEqual([]);
  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  expect(events).toEqual(["asked"]);
  vi.advanceTimersByTime(MS + SLICE);
  expect(events).toEqual(["asked", "silent"]);
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

test("never asks if there is no end to the time", () => {
  const { events } = watched(Number.POSITIVE_INFINITY);
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(10 * MS);
  expect(events).toEqual([]);
});
