import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { OverflowPolicy } from "../../src/internal/byte-queue.ts";
import type { OutputChunk } from "../../src/process/events.ts";
import { ProcessOutput } from "../../src/process/output.ts";
import { webkitStreams } from "../support/webkit-streams.ts";

const CLAIMED = expect.objectContaining({ code: "ERR_OUTPUT_CLAIMED" });

/** Output with one line on each stream. */
function twoLines({ budget = 1_000, policy = "fail" as OverflowPolicy } = {}) {
  const output = new ProcessOutput(budget, policy);
  push(output, 1, "stdout", "out\n");
  push(output, 2, "stderr", "err\n");
  return output;
}

function push(output: ProcessOutput, seq: number, stream: OutputChunk["stream"], text: string): void {
  output.push({ seq, stream, chunk: new TextEncoder().encode(text) });
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += Buffer.from(chunk).toString("latin1");
  return text;
}

async function mergedTexts(output: ProcessOutput): Promise<string[]> {
  const texts: string[] = [];
  const iterator = output.iterate();
  for (;;) {
    const { done, value } = await iterator.next();
    if (done) return texts;
    texts.push(`${value.seq} ${value.stream} ${Buffer.from(value.chunk).toString("latin1")}`);
  }
}

const builtInGetReader: () => ReadableStreamDefaultReader<Uint8Array> = ReadableStream.prototype.getReader;

/** Every way to read a stream. Each one settles after the end of the output. */
const waysToRead: Record<string, (stream: ReadableStream<Uint8Array>) => unknown> = {
  "getReader()": (stream) => stream.getReader().read(),
  "pipeTo()": (stream) => stream.pipeTo(new WritableStream()),
  "pipeThrough()": (stream) => textOf(stream.pipeThrough(new TransformStream())),
  "tee()": (stream) => Promise.all(stream.tee().map(textOf)),
  "values()": (stream) => stream.values().next(),
  "for await": (stream) => textOf(stream),
  "new Response()": (stream) => new Response(stream as unknown as BodyInit).text(),
  "cancel()": (stream) => stream.cancel(),
  // The platform's own consumers may not call the method of the object.
  "a built-in reader": (stream) => builtInGetReader.call(stream).read(),
};

describe("a view", () => {
  it("of all output is in order", async () => {
    const output = twoLines();
    push(output, 4, "pty", "tty\n");
    output.end();
    await expect(mergedTexts(output)).resolves.toEqual(["1 stdout out\n", "2 stderr err\n", "4 pty tty\n"]);
  });

  it("of stdout and stderr separates both, with the output of a terminal in stdout", async () => {
    const output = twoLines();
    push(output, 3, "pty", "tty\n");
    output.end();
    await expect(Promise.all([textOf(output.stdout), textOf(output.stderr)])).resolves.toEqual([
      "out\ntty\n",
      "err\n",
    ]);
  });

  it("delivers each chunk to a waiting reader on arrival", async () => {
    const merged = new ProcessOutput(10, "fail");
    const next = merged.iterate().next();
    push(merged, 1, "stdout", "now");
    await expect(next).resolves.toMatchObject({ value: { seq: 1 } });

    const split = new ProcessOutput(10, "fail");
    const reads = [split.stdout, split.stderr].map((stream) => stream.getReader().read());
    push(split, 1, "stderr", "e");
    push(split, 2, "stdout", "o");
    expect((await Promise.all(reads)).map(({ value }) => Buffer.from(value ?? []).toString())).toEqual([
      "o",
      "e",
    ]);
  });
});

describe("a claim", () => {
  it.each(Object.entries(waysToRead))("of stdout and stderr is made by %s", async (_, read) => {
    for (const name of ["stdout", "stderr"] as const) {
      const output = twoLines();
      output.end();
      await read(output[name]);
      await expect(output.iterate().next()).rejects.toEqual(CLAIMED);
      await expect(output.iterate().return?.()).rejects.toEqual(CLAIMED);
    }
  });

  it.each(["getReader()", "pipeTo()", "pipeThrough()", "tee()", "for await"])(
    "is made synchronously by %s, before any output has arrived",
    async (way) => {
      const output = new ProcessOutput(10, "fail");
      const reading = waysToRead[way]?.(output.stdout);
      const other = output.iterate().next();
      output.end();
      await expect(other).rejects.toEqual(CLAIMED);
      await reading;
    },
  );

  it.each(Object.entries(waysToRead))("of all output makes %s throw", async (_, read) => {
    const output = twoLines();
    output.end();
    await output.iterate().next();
    for (const name of ["stdout", "stderr"] as const) {
      await expect((async () => await read(output[name]))()).rejects.toEqual(CLAIMED);
    }
  });

  it("of one stream leaves the other stream readable and complete", async () => {
    const output = twoLines();
    output.end();
    await expect(textOf(output.stdout)).resolves.toBe("out\n");
    await expect(textOf(output.stderr)).resolves.toBe("err\n");
  });

  it("of all output belongs to one iterator", async () => {
    const output = twoLines();
    const [mine, other] = [output.iterate(), output.iterate()];
    await expect(mine.next()).resolves.toMatchObject({ value: { seq: 1 } });
    await expect(other.next()).rejects.toEqual(CLAIMED);
    await expect(other.return?.()).rejects.toEqual(CLAIMED);
    await expect(mine.next()).resolves.toMatchObject({ value: { seq: 2 } });
  });

  it("that is refused does not affect the owner", async () => {
    const output = twoLines();
    output.end();
    const reader = output.stdout.getReader();
    await expect(output.iterate().next()).rejects.toEqual(CLAIMED);
    await expect(reader.read()).resolves.toMatchObject({ done: false });
    await expect(textOf(output.stderr)).resolves.toBe("err\n");
  });

  it("is not made by accessing a property or creating an iterator", async () => {
    const output = twoLines();
    const { stdout, stderr } = output;
    const touched = [stdout.locked, stderr.locked, output.iterate(), output.iterate(), output.droppedBytes];
    // A prefetch by the streams would happen after this turn.
    await new Promise(setImmediate);
    expect(touched).toHaveLength(5);
    output.end();
    await expect(mergedTexts(output)).resolves.toHaveLength(2);

    const other = twoLines();
    other.iterate();
    other.end();
    await expect(textOf(other.stdout)).resolves.toBe("out\n");
  });

  it("can be made after the end, for the kept output", async () => {
    const output = twoLines();
    output.end();
    await expect(mergedTexts(output)).resolves.toHaveLength(2);
  });
});

describe("ending a read early", () => {
  it("discards all output when the iterator returns, even without a read", async () => {
    for (const readFirst of [true, false]) {
      const output = twoLines();
      const iterator = output.iterate();
      if (readFirst) await iterator.next();
      await expect(iterator.return?.()).resolves.toEqual({ done: true, value: undefined });
      push(output, 3, "stdout", "late");
      await expect(iterator.next()).resolves.toEqual({ done: true, value: undefined });
      expect(() => output.stdout.getReader()).toThrow(CLAIMED);
    }
  });

  it.each([
    ["cancel()", (stream: ReadableStream<Uint8Array>) => stream.cancel()],
    ["a reader's cancel()", (stream: ReadableStream<Uint8Array>) => stream.getReader().cancel()],
    ["break", breakLoop],
  ])("with %s discards only that stream", async (_, leave) => {
    const output = twoLines();
    await leave(output.stdout);
    push(output, 3, "stdout", "x".repeat(5_000));
    push(output, 4, "stderr", "more\n");
    output.end();
    await expect(textOf(output.stderr)).resolves.toBe("err\nmore\n");
  });

  it("settles a pending read and causes no unhandled rejection", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const output = new ProcessOutput(10, "fail");
    const reader = output.stdout.getReader();
    const pending = reader.read();
    // Lets the stream pull from its source before the reader cancels.
    await new Promise(setImmediate);
    await reader.cancel();
    await expect(pending).resolves.toMatchObject({ done: true });
    push(output, 1, "stdout", "late");
    output.end(new Error("gone"));
    await new Promise(setImmediate);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("without cancelling keeps the remaining output for the next reader", async () => {
    const output = twoLines();
    push(output, 3, "stdout", "more\n");
    output.end();
    for await (const _ of output.stdout.values({ preventCancel: true })) break;
    expect(output.stdout.locked).toBe(false);
    await expect(textOf(output.stdout)).resolves.toBe("more\n");
  });

  async function breakLoop(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const _ of stream) break;
    expect(stream.locked).toBe(false);
  }
});

describe("what has piled up behind a slow reader", () => {
  it("is read in chunks of at most 64 KiB, whole and in order", async () => {
    const output = new ProcessOutput(2 ** 20, "fail");
    for (let n = 0; n < 40; n++) push(output, n + 1, "stdout", String.fromCharCode(65 + n).repeat(8_192));
    output.end();
    const sizes: number[] = [];
    let text = "";
    for await (const chunk of output.stdout) {
      sizes.push(chunk.length);
      text += new TextDecoder().decode(chunk);
    }
    expect(text).toBe(
      Array.from({ length: 40 }, (_, n) => String.fromCharCode(65 + n).repeat(8_192)).join(""),
    );
    expect(sizes.slice(0, 4)).toEqual([65_536, 65_536, 65_536, 65_536]);
  });

  it("is read as it came while it is little", async () => {
    const output = new ProcessOutput(2 ** 20, "fail");
    for (let n = 0; n < 7; n++) push(output, n + 1, "stdout", "x".repeat(8_192));
    output.end();
    const sizes: number[] = [];
    for await (const chunk of output.stdout) sizes.push(chunk.length);
    expect(sizes).toEqual(Array.from({ length: 7 }, () => 8_192));
  });
});

describe("the end", () => {
  it("settles pending reads of both views", async () => {
    const merged = new ProcessOutput(10, "fail");
    const next = merged.iterate().next();
    merged.end();
    await expect(next).resolves.toEqual({ done: true, value: undefined });

    const split = new ProcessOutput(10, "fail");
    const reads = [split.stdout, split.stderr].map((stream) => stream.getReader().read());
    split.end();
    for (const read of reads) await expect(read).resolves.toEqual({ done: true, value: undefined });
  });

  it("with an error comes after the kept output, in every view", async () => {
    const error = new Error("gone");
    const merged = twoLines();
    merged.end(error);
    const iterator = merged.iterate();
    await expect(iterator.next()).resolves.toMatchObject({ value: { seq: 1 } });
    await expect(iterator.next()).resolves.toMatchObject({ value: { seq: 2 } });
    await expect(iterator.next()).rejects.toBe(error);

    const split = twoLines();
    split.end(error);
    for (const stream of [split.stdout, split.stderr]) {
      const reader = stream.getReader();
      await expect(reader.read()).resolves.toMatchObject({ done: false });
      await expect(reader.read()).rejects.toBe(error);
    }
  });

  it("with an error unlocks a stream that was iterated", async () => {
    const output = twoLines();
    const error = new Error("gone");
    output.end(error);
    await expect(textOf(output.stdout)).rejects.toBe(error);
    expect(output.stdout.locked).toBe(false);
  });

  it("with an error that is not read causes no unhandled rejection", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    twoLines().end(new Error("gone"));
    const claimed = twoLines();
    claimed.stdout.getReader().closed.catch(() => {});
    claimed.end(new Error("gone"));
    await new Promise(setImmediate);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("a reader that brings its memory", () => {
  const fill = (output: ProcessOutput, ...texts: string[]): void => {
    for (const [at, text] of texts.entries()) push(output, at + 1, "stdout", text);
  };

  it("gets all bytes, whatever the sizes of its memory and of the chunks", async () => {
    const text = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(text), fc.integer({ min: 1, max: 64 }), async (texts, size) => {
        const output = new ProcessOutput(10_000, "fail");
        fill(output, ...texts);
        output.end();
        const reader = output.stdout.getReader({ mode: "byob" }) as ReadableStreamBYOBReader;
        let read = "";
        for (let memory = new Uint8Array(size); ; ) {
          const { done, value } = await reader.read(memory);
          if (done) break;
          read += Buffer.from(value).toString("latin1");
          memory = new Uint8Array(value.buffer);
        }
        expect(read).toBe(texts.join(""));
      }),
    );
  });

  it("ends when the output ends, and gets its error", async () => {
    const ended = new ProcessOutput(1_000, "fail");
    const pending = (ended.stdout.getReader({ mode: "byob" }) as ReadableStreamBYOBReader).read(
      new Uint8Array(8),
    );
    ended.end();
    expect(await pending).toMatchObject({ done: true, value: new Uint8Array(0) });
    const failed = new ProcessOutput(1_000, "fail");
    const reader = failed.stdout.getReader({ mode: "byob" }) as ReadableStreamBYOBReader;
    const rejected = expect(reader.read(new Uint8Array(8))).rejects.toThrow("the end");
    failed.end(new Error("the end"));
    await rejected;
  });

  it("claims the output", async () => {
    const output = twoLines();
    output.stdout.getReader({ mode: "byob" });
    await expect(output.iterate().next()).rejects.toThrow(CLAIMED);
  });

  it("leaves the memory of a chunk that is a part of a larger one alone", async () => {
    const output = new ProcessOutput(1_000, "fail");
    const shared = new TextEncoder().encode("report:text");
    output.push({ seq: 1, stream: "stdout", chunk: shared.subarray(7) });
    output.end();
    expect(await textOf(output.stdout)).toBe("text");
    expect(shared.length).toBe(11);
  });
});

describe("the streams of a process", () => {
  it("are the same each time, and are not made before they are looked at", () => {
    const output = twoLines();
    expect(output.stdout).toBe(output.stdout);
    expect(output.stderr).not.toBe(output.stdout);
  });

  it("work where there are no byte streams", async () => {
    vi.stubGlobal("ReadableByteStreamController", undefined);
    try {
      const output = twoLines();
      output.end();
      expect(await textOf(output.stdout)).toBe("out\n");
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("can be iterated in a browser whose streams have no iterator", async () => {
    const restore = webkitStreams();
    try {
      const output = twoLines();
      output.end();
      expect(await textOf(output.stdout)).toBe("out\n");
      expect(await textOf(output.stderr)).toBe("err\n");
    } finally {
      restore();
    }
  });

  it("work through a Proxy", async () => {
    const output = twoLines();
    output.end();
    const stream = new Proxy(output.stdout, {});
    expect(stream.locked).toBe(false);
    expect(await textOf(stream)).toBe("out\n");
    await new Proxy(output.stderr, {}).cancel();
  });
});
