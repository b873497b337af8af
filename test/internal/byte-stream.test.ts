import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { byteStream } from "../../src/internal/byte-stream.ts";
import type { Bytes } from "../../src/internal/bytes.ts";
import { failureOf } from "../support/failure.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

afterEach(() => void vi.unstubAllGlobals());

function streamOf(...chunks: Bytes[]) {
  const cancel = vi.fn();
  const next = vi.fn(async () => chunks.shift());
  return { ...byteStream({ next, cancel }), next, cancel };
}

/** Collects garbage until the condition holds. */
async function collectUntil(condition: () => boolean): Promise<void> {
  while (!condition()) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("byteStream()", () => {
  it("pulls a chunk only for a read", async () => {
    const { stream, next } = streamOf(Uint8Array.of(1), Uint8Array.of(2));
    const reader = stream.getReader();
    await Promise.resolve();
    expect(next).not.toHaveBeenCalled();
    expect((await reader.read()).value).toEqual(Uint8Array.of(1));
    expect(next).toHaveBeenCalledTimes(1);
  });

  it("can be read by a BYOB reader, to the end", async () => {
    const reader = streamOf(Uint8Array.of(1, 2, 3)).stream.getReader({ mode: "byob" });
    expect((await reader.read(new Uint8Array(2))).value).toEqual(Uint8Array.of(1, 2));
    expect((await reader.read(new Uint8Array(2))).value).toEqual(Uint8Array.of(3));
    expect(await reader.read(new Uint8Array(2))).toMatchObject({ done: true });
    await reader.closed;
  });

  it("leaves memory that holds other bytes alone", async () => {
    const memory = Uint8Array.of(1, 2, 3);
    const reader = streamOf(memory.subarray(1, 2)).stream.getReader();
    expect((await reader.read()).value).toEqual(Uint8Array.of(2));
    expect(memory).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("fails at once, even while a read is pending", async () => {
    const { stream, fail } = byteStream({ next: () => new Promise(() => {}), cancel() {} });
    const reader = stream.getReader();
    const reading = failureOf(reader.read());
    fail("enough");
    expect(await reading).toBe("enough");
    expect(await failureOf(reader.closed)).toBe("enough");
  });

  it("works where the platform has no byte streams, without BYOB readers", async () => {
    const Native = ReadableStream;
    const construct = (source: UnderlyingDefaultSource, strategy?: QueuingStrategy): ReadableStream => {
      if ((source as { type?: unknown }).type === "bytes") throw new TypeError("not supported");
      return new Native(source, strategy);
    };
    vi.stubGlobal("ReadableStream", function (this: unknown, ...args: Parameters<typeof construct>) {
      return construct(...args);
    });
    const { stream, next } = streamOf(Uint8Array.of(1));
    const reader = stream.getReader();
    expect(next).not.toHaveBeenCalled();
    expect((await reader.read()).value).toEqual(Uint8Array.of(1));
    expect((await reader.read()).done).toBe(true);
  });

  it("cancels its source when it was forgotten, read or not", async () => {
    const forgotten = streamOf(Uint8Array.of(1)).cancel;
    const cancel = vi.fn();
    await (async () => {
      const { stream } = byteStream({ next: async () => Uint8Array.of(1), cancel });
      await stream.getReader().read();
    })();
    await collectUntil(() => forgotten.mock.calls.length > 0 && cancel.mock.calls.length > 0);
  });
});
