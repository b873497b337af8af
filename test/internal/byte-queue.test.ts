import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OverflowError } from "../../src/errors/usage.ts";
import { ByteQueue, type Piece } from "../../src/internal/byte-queue.ts";

interface NumberedPiece extends Piece {
  readonly seq: number;
}

/** Bytes that depend on their position. */
const SOURCE = new Uint8Array(10_000).map((_, i) => (i * 7 + (i >> 8)) & 0xff);

/** Splits the source into pieces of these lengths. */
function pieces(lengths: readonly number[]): NumberedPiece[] {
  let end = 0;
  return lengths.map((length, i) => {
    end += length;
    return { seq: i + 1, chunk: SOURCE.subarray(end - length, end) };
  });
}

/** Reads to the end or to the error. */
async function drain(queue: ByteQueue<NumberedPiece>): Promise<{ read: NumberedPiece[]; error?: unknown }> {
  const read: NumberedPiece[] = [];
  try {
    for (;;) {
      const { done, value } = await queue.next();
      if (done) return { read };
      read.push(value);
    }
  } catch (error) {
    return { read, error };
  }
}

const bytesOf = (read: readonly NumberedPiece[]): Buffer => Buffer.concat(read.map(({ chunk }) => chunk));
const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);

const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
const budget = fc.oneof(fc.nat(300), fc.nat(2_400));

describe('with "fail"', () => {
  it("delivers exactly the budget and then an OverflowError, for any split into pieces", async () => {
    await fc.assert(
      fc.asyncProperty(lengths, budget, async (cut, limit) => {
        const queue = new ByteQueue<NumberedPiece>(limit, "fail");
        for (const piece of pieces(cut)) queue.push(piece);
        queue.end();
        const { read, error } = await drain(queue);
        expect(bytesOf(read)).toEqual(Buffer.from(SOURCE.subarray(0, Math.min(limit, sum(cut)))));
        if (sum(cut) > limit) expect(error).toMatchObject({ code: "ERR_OVERFLOW", limit });
        else expect(error).toBeUndefined();
        expect(queue.droppedBytes).toBe(0);
      }),
    );
  });

  it("never delivers an empty piece", async () => {
    for (const [limit, cut] of [
      [0, [1]],
      [2, [2, 1]],
    ] as const) {
      const queue = new ByteQueue<NumberedPiece>(limit, "fail");
      for (const piece of pieces(cut)) queue.push(piece);
      const { read, error } = await drain(queue);
      expect(error).toBeInstanceOf(OverflowError);
      expect(read.map(({ chunk }) => chunk.length)).not.toContain(0);
    }
  });

  it("keeps the OverflowError as its end", async () => {
    const queue = new ByteQueue<NumberedPiece>(1, "fail");
    for (const piece of pieces([2, 1])) queue.push(piece);
    queue.end(new Error("later"));
    expect((await drain(queue)).error).toBeInstanceOf(OverflowError);
    await expect(queue.next()).rejects.toBeInstanceOf(OverflowError);
  });
});

describe('with "drop-oldest"', () => {
  it("delivers exactly the last bytes within the budget, and reports the number of dropped bytes", async () => {
    await fc.assert(
      fc.asyncProperty(lengths, budget, async (cut, limit) => {
        const queue = new ByteQueue<NumberedPiece>(limit, "drop-oldest");
        for (const piece of pieces(cut)) queue.push(piece);
        queue.end();
        const dropped = Math.max(0, sum(cut) - limit);
        expect(queue.droppedBytes).toBe(dropped);
        const { read, error } = await drain(queue);
        expect(error).toBeUndefined();
        expect(bytesOf(read)).toEqual(Buffer.from(SOURCE.subarray(dropped, sum(cut))));
        expect(read.map(({ droppedBefore }) => droppedBefore ?? 0)).toEqual(
          read.map((_, i) => (i === 0 ? dropped : 0)),
        );
        if (dropped === 0) expect(read.every((piece) => !("droppedBefore" in piece))).toBe(true);
      }),
    );
  });
});

it("accounts for every byte, for any sequence of reads and writes", async () => {
  const anyStep = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ read: fc.constant(true) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { maxLength: 120 }),
      fc.integer({ min: 1, max: 200 }),
      async (steps, limit) => {
        const queue = new ByteQueue<NumberedPiece>(limit, "drop-oldest");
        let written = 0;
        let seq = 0;
        const reads: Promise<IteratorResult<NumberedPiece, undefined>>[] = [];
        for (const step of steps) {
          if ("read" in step) {
            reads.push(queue.next());
            continue;
          }
          written += step.push;
          const chunk = SOURCE.subarray(written - step.push, written);
          queue.push({ seq: ++seq, chunk });
        }
        queue.end();
        const whileRunning = (await Promise.all(reads)).flatMap(({ done, value }) => (done ? [] : [value]));
        const kept = (await drain(queue)).read;
        expect(sum(kept.map(({ chunk }) => chunk.length))).toBeLessThanOrEqual(limit);

        let position = 0;
        for (const { chunk, droppedBefore = 0 } of [...whileRunning, ...kept]) {
          position += droppedBefore;
          expect(chunk).toEqual(SOURCE.subarray(position, position + chunk.length));
          position += chunk.length;
        }
        expect(position).toBe(written);
        expect(queue.droppedBytes).toBe(
          written - sum([...whileRunning, ...kept].map(({ chunk }) => chunk.length)),
        );
      },
    ),
  );
});

it.each(["fail", "drop-oldest"] as const)(
  "does not count bytes that go directly to a waiting reader (%s)",
  async (policy) => {
    const queue = new ByteQueue<NumberedPiece>(1, policy);
    const [piece] = pieces([500]) as [NumberedPiece];
    const reading = queue.next();
    queue.push(piece);
    await expect(reading).resolves.toEqual({ done: false, value: piece });
    expect(queue.droppedBytes).toBe(0);
  },
);

it("has room again after a read", async () => {
  const queue = new ByteQueue<NumberedPiece>(10, "fail");
  for (const piece of pieces(Array.from({ length: 100 }, () => 10))) {
    queue.push(piece);
    await expect(queue.next()).resolves.toMatchObject({ value: { seq: piece.seq } });
  }
});

it("serves waiting readers in order", async () => {
  const queue = new ByteQueue<NumberedPiece>(10, "fail");
  const readers = [queue.next(), queue.next(), queue.next()];
  for (const piece of pieces([1, 1])) queue.push(piece);
  queue.end();
  expect((await Promise.all(readers)).map(({ value }) => value?.seq)).toEqual([1, 2, undefined]);
});

it("rejects with an error after the kept pieces, and for every later read", async () => {
  const queue = new ByteQueue<NumberedPiece>(10, "fail");
  const error = new Error("gone");
  for (const piece of pieces([1, 1])) queue.push(piece);
  queue.end(error);
  queue.end();
  const { read, error: seen } = await drain(queue);
  expect(read).toHaveLength(2);
  expect(seen).toBe(error);
  await expect(queue.next()).rejects.toBe(error);
});

it("settles all waiting readers at the end", async () => {
  const done = new ByteQueue<NumberedPiece>(10, "fail");
  const waiting = [done.next(), done.next()];
  done.end();
  for (const reader of waiting) await expect(reader).resolves.toEqual({ done: true, value: undefined });

  const failed = new ByteQueue<NumberedPiece>(10, "fail");
  const error = new Error("gone");
  const failing = [failed.next(), failed.next()].map((reader) => expect(reader).rejects.toBe(error));
  failed.end(error);
  await Promise.all(failing);
});

it("ignores pieces after the end", async () => {
  const queue = new ByteQueue<NumberedPiece>(10, "fail");
  queue.end();
  for (const piece of pieces([1])) queue.push(piece);
  await expect(queue.next()).resolves.toEqual({ done: true, value: undefined });
});

it("drops all pieces and the error when discarded", async () => {
  const queue = new ByteQueue<NumberedPiece>(10, "fail");
  for (const piece of pieces([1, 1])) queue.push(piece);
  queue.end(new Error("gone"));
  queue.discard();
  for (const piece of pieces([1])) queue.push(piece);
  await expect(queue.next()).resolves.toEqual({ done: true, value: undefined });
});

it("keeps an unlimited piece beyond the budget, and counts its unread bytes", async () => {
  const queue = new ByteQueue(4, "fail");
  queue.push({ chunk: SOURCE.slice(0, 10) }, true);
  expect([queue.size, queue.hasEnded]).toEqual([10, false]);
  queue.push({ chunk: SOURCE.slice(0, 1) });
  expect(queue.hasEnded).toBe(true);
  expect((await queue.next()).value?.chunk).toHaveLength(10);
  expect(queue.size).toBe(0);
  await expect(queue.next()).rejects.toBeInstanceOf(OverflowError);
});
