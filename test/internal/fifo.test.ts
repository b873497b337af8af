import fc from "fast-check";
import { expect, it } from "vitest";
import { Fifo } from "../../src/internal/fifo.ts";

/** Bursts, because the queue moves its items only after many shifts. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("push" as const), times: fc.nat(1_500) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("shift" as const), times: fc.nat(1_500) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("replaceFirst" as const, "clear" as const),
      times: fc.constant(1),
    }),
  },
);

it("behaves like an array", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      let next = 0;
      for (const { do: action, times } of steps) {
        if (action === "clear") {
          fifo.clear();
          model = [];
        } else if (action === "push") {
          for (let i = 0; i < times; i++) {
            fifo.push(++next);
            model.push(next);
          }
        } else if (action === "shift") {
          const expected = model.splice(0, times);
          expect(Array.from({ length: expected.length }, () => fifo.shift())).toEqual(expected);
        } else if (model.length > 0) {
          fifo.replaceFirst(++next);
          model[0] = next;
        }
        expect(fifo.length).toBe(model.length);
        expect(fifo.peek()).toBe(model[0]);
      }
      expect(Array.from({ length: model.length }, () => fifo.shift())).toEqual(model);
      expect(fifo.shift()).toBeUndefined();
    }),
  );
});

it("returns undefined when empty, and can be used again", () => {
  const fifo = new Fifo<string>();
  expect([fifo.shift(), fifo.peek(), fifo.length]).toEqual([undefined, undefined, 0]);
  fifo.push("a");
  expect([fifo.shift(), fifo.shift(), fifo.length]).toEqual(["a", undefined, 0]);
});

it("removes the first items as long as they pass", () => {
  const fifo = new Fifo<number>();
  for (const item of [1, 2, 3, 1]) fifo.push(item);
  expect(fifo.shiftWhile((item) => item < 3)).toEqual([1, 2]);
  expect([...fifo]).toEqual([3, 1]);
  expect(fifo.shiftWhile(() => false)).toEqual([]);
  expect(fifo.shiftWhile(() => true)).toEqual([3, 1]);
  expect(fifo.length).toBe(0);
});
