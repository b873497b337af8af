import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { onAbort } from "../../src/internal/on-abort.ts";

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

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
