import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { BlockWriter, readBlocks } from "../../src/filesystem/blocks.ts";
import type { FileHandle } from "../../src/filesystem/handles.ts";

const MAX = 16;

// Small blocks, so that a test can run with many of them.
vi.mock("../../src/protocol/filesystem.ts", async (original) => ({
  ...(await original<typeof import("../../src/protocol/filesystem.ts")>()),
  MAX_BLOCK: 16,
}));

/** A file in memory. The scheduler decides in which order its blocks settle. */
class FakeFile {
  bytes = new Uint8Array();
  inFlight = 0;
  most = 0;
  isClosed = false;
  readonly blocks: [number, number][] = [];
  readonly #scheduler: fc.Scheduler;

  constructor(scheduler: fc.Scheduler) {
    this.#scheduler = scheduler;
  }

  get handle(): FileHandle {
    return this as Pick<FileHandle, "read" | "write" | "close"> as FileHandle;
  }

  async close(): Promise<void> {
    expect(this.inFlight).toBe(0);
    this.isClosed = true;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice();
    await this.#block(offset, copy.length);
    const longer = new Uint8Array(Math.max(this.bytes.length, offset + copy.length));
    longer.set(this.bytes);
    longer.set(copy, offset);
    this.bytes = longer;
  }

  async read(offset: number, length: number): Promise<{ bytes: Uint8Array<ArrayBuffer>; eof: boolean }> {
    await this.#block(offset, length);
    const bytes = this.bytes.slice(offset, offset + length);
    return { bytes, eof: bytes.length < length };
  }

  async #block(offset: number, length: number): Promise<void> {
    expect(this.isClosed).toBe(false);
    this.blocks.push([offset, length]);
    this.most = Math.max(this.most, ++this.inFlight);
    await this.#scheduler.schedule(Promise.resolve());
    this.inFlight--;
  }
}

/** Bytes that differ by their position. */
const numbered = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, (_, i) => i % 251);

function expectGoodBlocks(file: FakeFile, start: number, mostInFlight = 4): void {
  let next = start;
  for (const [offset, length] of file.blocks) {
    expect(offset).toBe(next);
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThanOrEqual(MAX);
    next += length;
  }
  expect(file.most).toBeLessThanOrEqual(mostInFlight);
}

it("writes pieces of any length as the same bytes, in blocks of the largest size", async () => {
  const pieces = fc.array(fc.integer({ min: 0, max: 5 * MAX }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(pieces, fc.scheduler(), async (lengths, scheduler) => {
      const file = new FakeFile(scheduler);
      const progress: number[] = [];
      const writer = new BlockWriter(file.handle, (bytesWritten) => progress.push(bytesWritten));
      const all = numbered(lengths.reduce((sum, length) => sum + length, 0));
      const writing = (async () => {
        let at = 0;
        for (const length of lengths) {
          // The caller can reuse the memory of a piece once its write has resolved.
          const piece = all.slice(at, at + length);
          await writer.write(piece);
          piece.fill(255);
          at += length;
        }
        await writer.flush();
      })();
      await scheduler.waitFor(writing);
      expect([...file.bytes]).toEqual([...all]);
      expectGoodBlocks(file, 0);
      expect(progress).toEqual([...progress].sort((a, b) => a - b));
      expect(progress.at(-1) ?? 0).toBe(all.length);
    }),
  );
});

it("reads any range in order, in blocks of the largest size", async () => {
  const range = fc.record({
    length: fc.integer({ min: 0, max: 12 * MAX }),
    start: fc.integer({ min: 0, max: 13 * MAX }),
    size: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 13 * MAX })),
  });
  await fc.assert(
    fc.asyncProperty(range, fc.scheduler(), async ({ length, start, size }, scheduler) => {
      const file = new FakeFile(scheduler);
      file.bytes = numbered(length);
      const reading = (async () => {
        const bytes: number[] = [];
        for await (const block of readBlocks(file.handle, start, start + size)) {
          expect(block.length).toBeGreaterThan(0);
          bytes.push(...block);
        }
        return bytes;
      })();
      expect(await scheduler.waitFor(reading)).toEqual([...file.bytes.slice(start, start + size)]);
      expectGoodBlocks(file, start);
      await scheduler.waitIdle();
      expect(file.isClosed).toBe(true);
    }),
  );
});

it("reads a whole file, whatever size was reported for it", async () => {
  const sizes = fc.record({
    length: fc.integer({ min: 0, max: 12 * MAX }),
    reported: fc.oneof(fc.integer({ min: 0, max: 13 * MAX }), fc.constantFrom(0, 4 * MAX, 8 * MAX)),
  });
  await fc.assert(
    fc.asyncProperty(sizes, fc.scheduler(), async ({ length, reported }, scheduler) => {
      const file = new FakeFile(scheduler);
      file.bytes = numbered(length);
      const reading = (async () => {
        const bytes: number[] = [];
        const blocks = readBlocks(file.handle, 0, Number.POSITIVE_INFINITY, reported);
        for await (const block of blocks) bytes.push(...block);
        return bytes;
      })();
      expect(await scheduler.waitFor(reading)).toEqual([...file.bytes]);
      // The fifth block confirms the reported end.
      expectGoodBlocks(file, 0, 5);
      await scheduler.waitIdle();
      expect(file.isClosed).toBe(true);
    }),
  );
});

it("stops a write at the first block, in the order of the file, that fails", async () => {
  const failing = fc.record({ blocks: fc.integer({ min: 1, max: 12 }), broken: fc.nat(11) });
  await fc.assert(
    fc.asyncProperty(failing, fc.scheduler(), async ({ blocks, broken }, scheduler) => {
      fc.pre(broken < blocks);
      const file = new FakeFile(scheduler);
      const handle = {
        write: async (offset: number, bytes: Uint8Array) => {
          await file.write(offset, bytes);
          if (offset >= broken * MAX) throw new Error(`at ${offset}`);
        },
      } as unknown as FileHandle;
      let confirmed = 0;
      const writer = new BlockWriter(handle, (bytesWritten) => {
        confirmed = bytesWritten;
      });
      const writing = writer.write(numbered(blocks * MAX)).then(() => writer.flush());
      const failed = expect(writing).rejects.toThrow(`at ${broken * MAX}`);
      await scheduler.waitFor(failed);
      expect(confirmed).toBe(broken * MAX);
    }),
  );
});
