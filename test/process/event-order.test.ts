import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/errors/connection.ts";
import { EventOrder } from "../../src/process/event-order.ts";

const MIB = 1024 * 1024;

/** An EventOrder with a list of the published events. */
function setUp() {
  const published: string[] = [];
  const order = new EventOrder<string>((event) => published.push(event));
  const accept = (seq: number, bytes = 0): void => order.accept(seq, bytes, `event ${seq}`);
  return { accept, published };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const events = (from: number, to: number): string[] => range(from, to).map((seq) => `event ${seq}`);

it("publishes each event once and in sequence, in any order of arrival", () => {
  const arrival = fc.integer({ min: 1, max: 257 }).chain((count) => {
    const all = range(1, count);
    return fc.record({
      count: fc.constant(count),
      seqs: fc
        .tuple(
          fc.shuffledSubarray(all, { minLength: count }),
          fc.array(fc.record({ again: fc.nat(), at: fc.nat() })),
        )
        .map(([order, duplicates]) => {
          const seqs = [...order];
          for (const { again, at } of duplicates) seqs.splice(at % seqs.length, 0, 1 + (again % count));
          return seqs;
        }),
    });
  });
  fc.assert(
    fc.property(arrival, ({ count, seqs }) => {
      const { accept, published } = setUp();
      const seen = new Set<number>();
      const lengths: (readonly [actual: number, complete: number])[] = [];
      let complete = 0;
      for (const seq of seqs) {
        accept(seq, 1);
        seen.add(seq);
        while (seen.has(complete + 1)) complete++;
        lengths.push([published.length, complete]);
      }
      expect(lengths.filter(([actual, expected]) => actual !== expected)).toEqual([]);
      expect(published).toEqual(events(1, count));
    }),
  );
});

it("ignores the second of two events with the same sequence number", () => {
  const published: string[] = [];
  const order = new EventOrder<string>((event) => published.push(event));
  for (const [seq, event] of [
    [2, "kept"],
    [2, "ignored"],
    [1, "first"],
    [1, "ignored"],
    [2, "ignored"],
  ] as const) {
    order.accept(seq, 0, event);
  }
  expect(published).toEqual(["first", "kept"]);
});

it("ignores sequence numbers below 1", () => {
  const { accept, published } = setUp();
  for (const seq of [0, -1, Number.MIN_SAFE_INTEGER]) accept(seq, 2 * MIB);
  expect(published).toEqual([]);
  accept(1);
  expect(published).toEqual(["event 1"]);
});

describe("a missing event", () => {
  it("holds back 256 events and publishes all of them after its arrival", () => {
    const { accept, published } = setUp();
    for (const seq of range(2, 257)) accept(seq);
    expect(published).toEqual([]);
    accept(1);
    expect(published).toEqual(events(1, 257));
  });

  it("holds back exactly 1 MiB", () => {
    const { accept, published } = setUp();
    for (const seq of range(2, 257)) accept(seq, 4096);
    accept(1, 4096);
    expect(published).toEqual(events(1, 257));
  });

  it("throws a ProtocolError for the 257th held event", () => {
    const { accept, published } = setUp();
    for (const seq of range(2, 257)) accept(seq);
    expect(() => accept(258)).toThrow(
      new ProtocolError(
        "Event 1 of a process is missing, and more than 256 events or 1048576 bytes came after it",
      ),
    );
    expect(published).toEqual([]);
  });

  it("throws a ProtocolError for one byte more than 1 MiB, in several events or in one", () => {
    const many = setUp();
    many.accept(2, MIB - 1);
    many.accept(3, 1);
    expect(() => many.accept(4, 1)).toThrow(ProtocolError);
    const one = setUp();
    expect(() => one.accept(2, MIB + 1)).toThrow(ProtocolError);
  });

  it("counts no event twice and no published event", () => {
    const { accept, published } = setUp();
    for (let again = 0; again < 5; again++) accept(2, MIB);
    accept(1);
    for (const seq of range(4, 259)) accept(seq, 4096);
    for (const seq of range(4, 259)) accept(seq, 4096);
    accept(3, 5 * MIB);
    expect(published).toEqual(events(1, 259));
  });

  it("sets no limit for events that arrive in sequence", () => {
    const { accept, published } = setUp();
    for (const seq of range(1, 1_000)) accept(seq, 2 * MIB);
    expect(published).toHaveLength(1_000);
  });
});
