import { expect, it, vi } from "vitest";
import { Listeners } from "../../src/internal/listeners.ts";

it("calls all listeners in the order of registration", () => {
  const listeners = new Listeners<number>();
  const calls: string[] = [];
  listeners.add((event) => calls.push(`a${event}`));
  listeners.add((event) => calls.push(`b${event}`));
  listeners.emit(1);
  listeners.emit(2);
  expect(calls).toEqual(["a1", "b1", "a2", "b2"]);
});

it("isolates a throwing listener from the others and from the emitter", () => {
  const listeners = new Listeners<number>();
  const after = vi.fn();
  listeners.add(() => {
    throw new Error("mine");
  });
  listeners.add(after);
  listeners.emit(1);
  expect(after).toHaveBeenCalledExactlyOnceWith(1);
});

it("does not call a removed listener, even if it was removed twice", () => {
  const listeners = new Listeners<void>();
  const gone = vi.fn();
  const remove = listeners.add(gone);
  remove();
  remove();
  listeners.emit();
  expect(gone).not.toHaveBeenCalled();
});

it("treats two registrations of one function as two listeners", () => {
  const listeners = new Listeners<void>();
  const listener = vi.fn();
  const removeFirst = listeners.add(listener);
  listeners.add(listener);
  removeFirst();
  removeFirst();
  listeners.emit();
  expect(listener).toHaveBeenCalledTimes(1);
});

it("calls all others if a listener removes itself, and a new listener only for the next event", () => {
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
