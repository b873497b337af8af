import { expect, it, vi } from "vitest";
import { Listeners } from "../../src/internal/listeners.ts";

it("calls everyone in the order in which they came", () => {
  const listeners = new Listeners<number>();
  const calls: string[] = [];
  listeners.add((event) => calls.push(`a${event}`));
  listeners.add((event) => calls.push(`b${event}`));
  listeners.emit(1);
  listeners.emit(2);
  expect(calls).toEqual(["a1", "b1", "a2", "b2"]);
});

it("lets a throwing listener harm neither the others nor the one who emits", () => {
  const listeners = new Listeners<number>();
  const after = vi.fn();
  listeners.add(() => {
    throw new Error("mine");
  });
  listeners.add(after);
  listeners.emit(1);
  expect(after).toHaveBeenCalledExactlyOnceWith(1);
});

it("calls nobody who has left, however often that was said", () => {
  const listeners = new Listeners<void>();
  const gone = vi.fn();
  const remove = listeners.add(gone);
  remove();
  remove();
  listeners.emit();
  expect(gone).not.toHaveBeenCalled();
});

it("keeps two registrations of one function apart", () => {
  const listeners = new Listeners<void>();
  const listener = vi.fn();
  const removeFirst = listeners.add(listener);
  listeners.add(listener);
  removeFirst();
  removeFirst();
  listeners.emit();
  expect(listener).toHaveBeenCalledTimes(1);
});

it("leaves nobody out when a listener removes itself, and calls a new one only next time", () => {
  const listeners = new Listeners<void>();
  const calls: string[] = [];
  const remove = listeners.add(() => {
    calls.push("once");
    remove();
    listeners.add(() => calls.push("new"));
  });
  listeners.add(() => calls.push("other"));
  listeners.emit();
  expect(calls).toEqual(["once", "other"]);
  listeners.emit();
  expect(calls).toEqual(["once", "other", "other", "new"]);
});
