import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TransferProgress } from "../../src/index.ts";
import { realFiles } from "../support/remote-files.ts";

const MIB = 1024 * 1024;
const SIZE = 10 * MIB + 17;

let real: Awaited<ReturnType<typeof realFiles>>;
beforeAll(async () => {
  real = await realFiles();
  await real.sh(`head -c ${SIZE} /dev/zero > large; printf 12345 > small; touch empty`);
});
afterAll(() => real[Symbol.asyncDispose]());

type Listener = { onProgress: (progress: TransferProgress) => void };

async function progressOf(work: (options: Listener) => Promise<unknown>): Promise<TransferProgress[]> {
  const seen: TransferProgress[] = [];
  await work({ onProgress: (progress) => seen.push({ ...progress }) });
  return seen;
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of stream);
}

async function fill(stream: WritableStream<Uint8Array>): Promise<void> {
  const writer = stream.getWriter();
  for (let at = 0; at < SIZE; at += 700_000) await writer.write(new Uint8Array(Math.min(700_000, SIZE - at)));
  await writer.close();
}

describe("onProgress", () => {
  it.each<[string, number | undefined, (options: Listener) => Promise<unknown>]>([
    ["readFile", SIZE, (options) => real.fs.readFile(real.path("large"), options)],
    ["writeFile", SIZE, (options) => real.fs.writeFile(real.path("out"), new Uint8Array(SIZE), options)],
    [
      "createReadStream",
      undefined,
      (options) => drain(real.fs.createReadStream(real.path("large"), options)),
    ],
    ["createWriteStream", undefined, (options) => fill(real.fs.createWriteStream(real.path("out"), options))],
  ])("of %s rises to the size of the file, with the total if it is known", async (_, total, work) => {
    const seen = await progressOf(work);
    const bytes = seen.map((progress) => progress.bytes);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(new Set(bytes).size).toBe(11);
    expect(bytes.at(-1)).toBe(SIZE);
    expect(new Set(seen.map((progress) => progress.total))).toEqual(new Set([total]));
    if (total === undefined) expect(seen[0]).not.toHaveProperty("total");
  });

  it("is called once for small and for empty files", async () => {
    expect(await progressOf((options) => real.fs.readFile(real.path("small"), options))).toEqual([
      { bytes: 5, total: 5 },
    ]);
    expect(await progressOf((options) => real.fs.readFile(real.path("empty"), options))).toEqual([
      { bytes: 0, total: 0 },
    ]);
    expect(await progressOf((options) => real.fs.writeFile(real.path("out"), "é", options))).toEqual([
      { bytes: 2, total: 2 },
    ]);
  });

  it("counts from the start of a range", async () => {
    const range = { start: 5 * MIB, end: 6 * MIB };
    const seen = await progressOf((options) =>
      drain(real.fs.createReadStream(real.path("large"), { ...range, ...options })),
    );
    expect(seen).toEqual([{ bytes: MIB }, { bytes: MIB + 1 }]);
  });

  it("can throw without an effect on the transfer", async () => {
    const onProgress = () => {
      throw new Error("thrown by the callback");
    };
    expect(await real.fs.readFile(real.path("large"), { onProgress })).toHaveLength(SIZE);
    await real.fs.writeFile(real.path("out"), new Uint8Array(SIZE), { onProgress });
    await drain(real.fs.createReadStream(real.path("large"), { onProgress }));
    await fill(real.fs.createWriteStream(real.path("out"), { onProgress }));
    expect((await real.fs.stat(real.path("out"))).size).toBe(SIZE);
  });
});
