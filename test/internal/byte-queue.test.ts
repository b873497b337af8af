import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OverflowError } from "../../src/errors.ts";
import { ByteQueue, type Piece } from "../../src/internal/byte-queue.ts";

interface NumberedPiece extends Piece {
  readonly seq: number;
}

/** Bytes that tell where they belong. */
const SOURCE = new Uint8Array(10_000).map((_, i) => (i * 7 + (i >> 8)) & 0xff);

/** Cuts the source into pieces of the lengths given. */
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
  it("gives exactly the budget and then an OverflowError, wherever the pieces are cut", async () => {
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

  it("never gives an empty piece", async () => {
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

  it("keeps the overflow as the end, whatever comes later", async () => {
    const queue = new ByteQueue<NumberedPiece>(1, "fail");
    for (const piece of pieces([2, 1])) queue.push(piece);
    queue.end(new Error("later"));
    expect((await drain(queue)).error).toBeInstanceOf(OverflowError);
    await expect(queue.next()).rejects.toBeInstanceOf(OverflowError);
  });
});

describe('with "drop-oldest"', () => {
  it("gives exactly the last bytes of the budget, and tells how many are lost", async () => {
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

it("accounts for every byte, however reading and writing alternate", async () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ read: fc.constant(true) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 120 }),
      fc.integer({ min: 1, max: 200 }),
      async (steps, limit) => {
        const queue = new ByteQueue<NumberedPiece>(limit, "drop-oldest");
        let written = 0;
        let seq = 0;
        const reads: Promise<IteratorResult<NumberedPiece, undefined>>[] = [];
        for (const happening of steps) {
          if ("read" in happening) {
            reads.push(queue.next());
            continue;
          }
          written += happening.push;
          const chunk = SOURCE.subarray(written - happening.push, written);
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
  "does not count what a waiting reader takes at once (%s)",
  async (policy) => {
    const queue = new ByteQueue<NumberedPiece>(1, policy);
    const [piece] = pieces([500]) as [NumberedPiece];
    const reading = queue.next();
    queue.push(piece);
    await expect(reading).resolves.toEqual({ done: false, value: piece });
    expect(queue.droppedBytes).toBe(0);
  },
);

it("makes room again for what was read", async () => {
  const queue = new ByteQueue<NumberedPiece>(10, "fail");
  for (const piece of pieces(Array.from({ length: 100 }, () => 10))) {
    queue.push(piece);
    await expect(queue.next()).resolves.toMatchObject({ value: { seq: piece.seq } });
  }
});

it("serves waiting readers in the order in which they asked", async () => {
  const queue = new ByteQueue<NumberedPiece>(10, "fail");
  const readers = [queue.next(), queue.next(), queue.next()];
  for (const piece of pieces([1, 1])) queue.push(piece);
  queue.end();
  expect((await Promise.all(readers)).map(({ value }) => value?.seq)).toEqual([1, 2, undefined]);
});

it("gives an error only after what was kept, and then again and again", async () => {
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

it("settles everyone who waits at the end", async () => {
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

it("takes nothing after the end", async () => {
  const queue = new ByteQueue<NumberedPiece>(10, "fail");
  queue.end();
  for (const piece of pieces([1])) queue.push(piece);
  await expect(queue.next()).resolves.toEqual({ done: true, value: undefined });
});

it("forgets everything when discarded, an error too", async () => {
  const queue = new ByteQueue<NumberedPiece>(10, "fail");
  for (const piece of pieces([1, 1])) queue.push(piece);
  queue.end(new Error("gone"));
  queue.discard();
  for (const piece of pieces([1])) queue.push(piece);
  await expect(queue.next()).resolves.toEqual({ done: true, value: undefined });
});
