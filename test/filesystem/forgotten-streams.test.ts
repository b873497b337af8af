import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { RemoteFileSystem } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { realFiles, relayedFiles } from "../support/remote-files.ts";
import { scriptedFiles } from "../support/scripted-files.ts";

const MIB = 1024 * 1024;
const BLOCK = Buffer.alloc(MIB).toString("base64");
const MAX_OPEN = 128;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

afterEach(() => void vi.useRealTimers());

/** Files without an end. Requests of the method `hold` stay without a response. */
async function endlessFiles(hold?: string) {
  return await scriptedFiles((connection, request) => {
    if (request.method === hold) return;
    connection.answer(request, request.method === "fs/readBlock" ? { chunk: BLOCK, eof: false } : {});
  });
}

/** Opens as many files as the server allows, and leaves them open. */
async function fillPlaces(fs: RemoteFileSystem): Promise<WritableStreamDefaultWriter<Uint8Array>[]> {
  const writers = Array.from({ length: MAX_OPEN }, (_, i) => fs.createWriteStream(`/open-${i}`).getWriter());
  // Less than a block is kept until the close.
  await Promise.all(writers.map((writer) => writer.write(new Uint8Array(1))));
  return writers;
}

type Act = (fs: RemoteFileSystem) => Promise<unknown>;

/** Stops the clock and starts work that waits for a place. */
async function startWaiting(work: () => Promise<unknown>): Promise<{ waiting: Promise<unknown> }> {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
  const waiting = work();
  await expect.poll(() => vi.getTimerCount()).toBe(1);
  return { waiting };
}

const OVERFLOW = {
  code: "ERR_OVERFLOW",
  limit: MAX_OPEN,
  delivery: "not-sent",
  message: expect.stringMatching(/128 files.*cancel\(\).*close\(\)/),
};

describe("when all places are held by streams that nothing reads or writes", () => {
  it.each<[string, Act]>([
    ["createReadStream", (fs) => fs.createReadStream("/more").getReader().read()],
    ["createWriteStream", (fs) => fs.createWriteStream("/more").getWriter().write(new Uint8Array(1))],
    ["writeFile", (fs) => fs.writeFile("/more", new Uint8Array(MIB + 1))],
  ])("%s rejects within four seconds and opens nothing", async (operation, act) => {
    await using scripted = await endlessFiles();
    const writers = await fillPlaces(scripted.fs);
    const { waiting } = await startWaiting(() => act(scripted.fs));
    const failed = failureOf(waiting);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await failed).toMatchObject({ ...OVERFLOW, operation, path: "/more" });
    expect(vi.getTimerCount()).toBe(0);
    expect(await scripted.count("fs/open")).toBe(MAX_OPEN);
    // Only the wait has failed: the open streams can be written, and a place that is freed is used.
    await Promise.all(writers.map((writer) => writer.close()));
    const reader = scripted.fs.createReadStream("/more").getReader();
    expect((await reader.read()).value).toHaveLength(MIB);
    await reader.cancel();
  });

  it("read streams that were read a little are such streams", { timeout: 60_000 }, async () => {
    await using scripted = await endlessFiles();
    const readers = await Promise.all(
      Array.from({ length: MAX_OPEN }, async () => {
        const reader = scripted.fs.createReadStream("/endless").getReader();
        await reader.read();
        return reader;
      }),
    );
    await scripted.count("fs/readBlock");
    const { waiting } = await startWaiting(() => scripted.fs.createReadStream("/more").getReader().read());
    const failed = failureOf(waiting);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await failed).toMatchObject(OVERFLOW);
    expect((await readers[0]?.read())?.value).toHaveLength(MIB);
  });

  it("leaves no timer and no listener behind", async () => {
    await using scripted = await endlessFiles();
    const writers = await fillPlaces(scripted.fs);
    const { signal } = new AbortController();
    const { waiting } = await startWaiting(() =>
      scripted.fs.writeFile("/more", new Uint8Array(MIB + 1), { signal }),
    );
    const failed = failureOf(waiting);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await failed).toMatchObject(OVERFLOW);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(writers).toHaveLength(MAX_OPEN);
  });
});

describe("a wait for a place continues", () => {
  const more = (fs: RemoteFileSystem) => fs.createWriteStream("/more").getWriter().write(new Uint8Array(1));

  it("while a request on an open file is in flight, however long it takes", async () => {
    await using scripted = await endlessFiles("fs/writeBlock");
    const writers = await fillPlaces(scripted.fs);
    await writers[0]?.write(new Uint8Array(MIB));
    await scripted.connection.request("fs/writeBlock");
    const { waiting } = await startWaiting(() => more(scripted.fs));
    await vi.advanceTimersByTimeAsync(60_000);
    await writers[1]?.abort();
    await waiting;
    expect(vi.getTimerCount()).toBe(0);
    expect(writers).toHaveLength(MAX_OPEN);
  });

  it("while an open file is used now and then", async () => {
    await using scripted = await endlessFiles();
    const writers = await fillPlaces(scripted.fs);
    const { waiting } = await startWaiting(() => more(scripted.fs));
    for (let i = 0; i < 10; i++) {
      await vi.advanceTimersByTimeAsync(2_500);
      await writers[i]?.write(new Uint8Array(MIB));
      await scripted.count("fs/writeBlock");
    }
    await writers[1]?.abort();
    await waiting;
    expect(writers).toHaveLength(MAX_OPEN);
  });

  it("until the connection ends", async () => {
    await using scripted = await endlessFiles();
    const writers = await fillPlaces(scripted.fs);
    const waiting = Array.from({ length: 3 }, () => failureOf(more(scripted.fs)));
    await scripted.client.status();
    scripted.connection.drop();
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "not-sent" });
    }
    expect(writers).toHaveLength(MAX_OPEN);
  });
});

describe("a read stream closes its file", () => {
  it.each([
    ["one block", 10, {}],
    ["exactly one block", MIB, {}],
    ["as many blocks as are read ahead", 4 * MIB + 1, {}],
    ["a range", 20 * MIB, { start: 5, end: 9 }],
    ["a range of several blocks", 20 * MIB, { start: 5, end: 3 * MIB }],
  ])("when %s has arrived, although the reader took only the first", async (_, size, options) => {
    await using real = await relayedFiles();
    await real.sh(`head -c ${size} /dev/zero > file`);
    const reader = real.fs.createReadStream(real.path("file"), options).getReader();
    await reader.read();
    await real.relay.request("fs/close");
    let bytes = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.length;
    expect(bytes + Math.min(size, MIB)).toBeGreaterThanOrEqual(Math.min(size, MIB));
    expect(real.relay.count("fs/close")).toBe(1);
  });

  it("so that 200 small files whose one block was read leave room", async () => {
    await using real = await realFiles();
    await real.sh("echo small > small; head -c 3000000 /dev/zero > large");
    const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
    for (let i = 0; i < 200; i++) {
      const reader = real.fs.createReadStream(real.path("small")).getReader();
      await reader.read();
      readers.push(reader);
    }
    expect(await real.fs.readFile(real.path("large"))).toHaveLength(3_000_000);
    expect((await readers[0]?.read())?.done).toBe(true);
  });
});

describe("a stream that was forgotten closes its file when it is collected as garbage", () => {
  it.each<[string, (fs: RemoteFileSystem, signal?: AbortSignal) => Promise<unknown>]>([
    ["a read stream", (fs, signal) => fs.createReadStream("/f", { signal }).getReader().read()],
    [
      "a write stream",
      (fs, signal) => fs.createWriteStream("/f", { signal }).getWriter().write(new Uint8Array(1)),
    ],
  ])("%s, with or without a signal", async (_, act) => {
    await using scripted = await endlessFiles();
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) await act(scripted.fs);
    for (let i = 0; i < 20; i++) await act(scripted.fs, signal);
    await expect
      .poll(
        async () => {
          collectGarbage();
          return await scripted.count("fs/close");
        },
        { timeout: 10_000 },
      )
      // The last one can still be on the stack.
      .toBeGreaterThanOrEqual(38);
    await expect.poll(() => getEventListeners(signal, "abort").length).toBeLessThanOrEqual(1);
  });

  it("but not while its reader is held", async () => {
    await using scripted = await endlessFiles();
    const reader = scripted.fs.createReadStream("/f").getReader();
    await reader.read();
    for (let i = 0; i < 5; i++) {
      collectGarbage();
      await new Promise(setImmediate);
    }
    expect(await scripted.count("fs/close")).toBe(0);
    expect((await reader.read()).value).toHaveLength(MIB);
    await reader.cancel();
  });
});
