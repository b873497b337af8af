import { readFileSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FilePieces, TransferProgress } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { relayedFiles } from "../support/remote-files.ts";
import { scriptedFiles } from "../support/scripted-files.ts";

const MIB = 1024 * 1024;

let real: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  real = await relayedFiles();
});
afterEach(() => {
  real.relay.intercept = () => undefined;
});
afterAll(() => real[Symbol.asyncDispose]());

async function* generated(...pieces: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* pieces;
}

const streamOf = (...pieces: unknown[]): ReadableStream<string | Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece as string);
      controller.close();
    },
  });

/** Pieces that never end, and whether their consumer has cancelled them. */
function endless(piece: Uint8Array | undefined) {
  const source = { cancelled: false, reads: 0 };
  const stalled = new Promise<never>(() => {});
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        source.reads++;
        if (!piece) return stalled;
        controller.enqueue(piece);
        return undefined;
      },
      cancel() {
        source.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const iterable: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        source.reads++;
        return piece ? { done: false, value: piece } : await stalled;
      },
      return: async () => {
        source.cancelled = true;
        return { done: true, value: undefined };
      },
    }),
  };
  return { source, stream, iterable };
}

describe("writeFile() writes", () => {
  const large = Buffer.alloc(3 * MIB + 11, "0123456789");

  it.each<[string, () => Blob | FilePieces, string | Buffer]>([
    ["a Blob", () => new Blob(["grün", new Uint8Array([33])]), "grün!"],
    ["an empty Blob", () => new Blob([]), ""],
    ["a large Blob", () => new Blob([large]), large],
    ["a stream of bytes and text", () => streamOf("a", new Uint8Array([98]), "€"), "ab€"],
    ["an empty stream", () => streamOf(), ""],
    ["the body of a response", () => new Response(large).body as FilePieces, large],
    ["a Node stream", () => Readable.from([Buffer.from("node"), Buffer.from("!")]), "node!"],
    ["an async generator", () => generated("x", large), Buffer.concat([Buffer.from("x"), large])],
    ["a file of the server", () => real.fs.createReadStream(real.path("source")), large],
  ])("%s", async (_, data, expected) => {
    writeFileSync(real.path("source"), large);
    writeFileSync(real.path("target"), "what was there before");
    await real.fs.writeFile(real.path("target"), data());
    expect(Buffer.compare(readFileSync(real.path("target")), Buffer.from(expected))).toBe(0);
  });

  it("bytes of another realm", async () => {
    for (const code of [
      "new Uint8Array([104, 105])",
      "new Uint8Array([104, 105]).buffer",
      "new DataView(new Uint8Array([104, 105]).buffer)",
    ]) {
      await real.fs.writeFile(real.path("target"), runInNewContext(code));
      expect(readFileSync(real.path("target"), "utf8")).toBe("hi");
    }
    const writer = real.fs.createWriteStream(real.path("target")).getWriter();
    await writer.write(runInNewContext("new Uint8Array([104, 105])"));
    await writer.close();
    expect(readFileSync(real.path("target"), "utf8")).toBe("hi");
  });

  it("a stream in one request on a server without block writes", async () => {
    await using scripted = await scriptedFiles((connection, request) => connection.answer(request, {}), {
      fileWriteStreaming: false,
    });
    await scripted.fs.writeFile("/f", streamOf("ab", "cd"));
    const [request] = scripted.server.requests("fs/writeFile");
    expect(request?.params.dataBase64).toBe(Buffer.from("abcd").toString("base64"));
    expect(await scripted.count("fs/open")).toBe(0);
  });

  it("with the total of a Blob in its progress, and none for a stream until its end", async () => {
    const seen: TransferProgress[] = [];
    const onProgress = (progress: TransferProgress) => void seen.push(progress);
    await real.fs.writeFile(real.path("target"), new Blob([new Uint8Array(MIB + 1)]), { onProgress });
    await real.fs.writeFile(real.path("target"), streamOf(new Uint8Array(MIB + 1)), { onProgress });
    const total = MIB + 1;
    expect(seen).toEqual([
      { bytes: MIB, total },
      { bytes: total, total },
      { bytes: total, total },
      { bytes: MIB },
      { bytes: total },
      { bytes: total, total },
    ]);
  });
});

describe("writeFile() of pieces", () => {
  it("leaves the file as it was when the source fails at once", async () => {
    writeFileSync(real.path("kept"), "kept");
    const reason = new Error("the source failed");
    const failing = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(reason) });
    expect(await failureOf(real.fs.writeFile(real.path("kept"), failing))).toBe(reason);
    expect(readFileSync(real.path("kept"), "utf8")).toBe("kept");
  });

  it("closes the file when the source fails in the middle", async () => {
    const reason = new Error("the source failed");
    async function* source() {
      yield new Uint8Array(2 * MIB);
      throw reason;
    }
    const closes = real.relay.count("fs/close");
    expect(await failureOf(real.fs.writeFile(real.path("part"), source()))).toBe(reason);
    await real.relay.request("fs/close", closes + 1);
  });

  it.each(["stream", "iterable"] as const)(
    "rejects at once when its signal aborts during a stalled %s, which is cancelled",
    async (kind) => {
      const { source, [kind]: data } = endless(undefined);
      const controller = new AbortController();
      const writing = failureOf(real.fs.writeFile(real.path("x"), data, { signal: controller.signal }));
      await expect.poll(() => source.reads).toBeGreaterThan(0);
      const reason = new Error("aborted");
      controller.abort(reason);
      expect(await writing).toBe(reason);
      expect(source.cancelled).toBe(true);
    },
  );

  it.each(["stream", "iterable"] as const)("cancels the %s when the server rejects a block", async (kind) => {
    real.relay.intercept = ({ method }) =>
      method === "fs/writeBlock"
        ? { error: { code: -32603, message: "No space left on device (os error 28)" } }
        : undefined;
    const { source, [kind]: data } = endless(new Uint8Array(MIB));
    expect(await failureOf(real.fs.writeFile(real.path("x"), data))).toMatchObject({
      code: "ERR_SERVER",
      operation: "writeFile",
      bytesWritten: 0,
    });
    await expect.poll(() => source.cancelled).toBe(true);
  });

  it("rejects a piece that is no bytes, and cancels the source", async () => {
    const { source, iterable } = endless(7 as never);
    expect(await failureOf(real.fs.writeFile(real.path("never"), iterable))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: expect.stringContaining("data must be"),
    });
    expect(source.cancelled).toBe(true);
    expect(await real.fs.exists(real.path("never"))).toBe(false);
  });

  it("is refused for a locked stream before anything is sent", async () => {
    const stream = streamOf("x");
    stream.getReader();
    const before = real.relay.received.length;
    expect(await failureOf(real.fs.writeFile(real.path("never"), stream))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: expect.stringContaining("locked"),
    });
    expect(real.relay.received.length).toBe(before);
  });
});

describe("a device", () => {
  it("takes more than a block, and a stream, in order", async () => {
    await real.fs.writeFile("/dev/null", new Uint8Array(3 * MIB));
    const writer = real.fs.createWriteStream("/dev/null").getWriter();
    for (let i = 0; i < 5; i++) await writer.write(new Uint8Array(MIB));
    await writer.close();
    await real.fs.createWriteStream("/dev/null").close();
    await real.fs.createReadStream("/proc/version").pipeTo(real.fs.createWriteStream("/dev/null"));
  });

  it("receives its blocks one after the other, each whole", async () => {
    const blocks: string[] = [];
    await using scripted = await scriptedFiles((connection, request) => {
      if (request.method === "fs/getMetadata") {
        connection.answer(request, { isFile: false, isDirectory: false, isSymlink: false, size: 0 });
        return;
      }
      blocks.push(String(request.params["dataBase64"]));
      void scripted.server.requests("fs/writeFile");
      setImmediate(() => connection.answer(request, {}));
    });
    scripted.server.handle("fs/open", (request, connection) => {
      connection.refuse(request as never, -32600, "path `/dev/x` is not a file");
      return undefined as never;
    });
    const memory = new Uint8Array(MIB);
    const writer = scripted.fs.createWriteStream("/dev/x").getWriter();
    for (const byte of [1, 2, 3]) await writer.write(memory.fill(byte));
    await writer.close();
    expect(blocks.map((block) => Buffer.from(block, "base64")[MIB - 1])).toEqual([1, 2, 3]);
  });

  it("that is full rejects with the bytes written", async () => {
    const writer = real.fs.createWriteStream("/dev/full").getWriter();
    const error = await failureOf(writer.write(new Uint8Array(9 * MIB)));
    expect(error).toMatchObject({ code: "ERR_SERVER", operation: "createWriteStream", bytesWritten: 0 });
  });
});
