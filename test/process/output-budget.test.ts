import fc from "fast-check";
import { expect, it } from "vitest";
import { OverflowError } from "../../src/errors/usage.ts";
import type { OverflowPolicy } from "../../src/internal/byte-queue.ts";
import type { OutputChunk } from "../../src/process/events.ts";
import { ProcessOutput } from "../../src/process/output.ts";

const piece = fc.record({
  stream: fc.constantFrom("stdout", "stderr"),
  length: fc.integer({ min: 1, max: 50 }),
});
const policies = fc.constantFrom<OverflowPolicy>("fail", "drop-oldest");

/** The text that was read, and whether the read ended with an OverflowError. */
interface Reading {
  readonly text: string;
  readonly overflow: boolean;
}

it("keeps the same output for a late reader as for one that reads from the start", async () => {
  const scenario = fc.record({
    pieces: fc.array(piece, { maxLength: 30 }),
    budget: fc.nat(400),
    policy: policies,
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ pieces, budget, policy }) => {
      const written = (only?: string): string =>
        textsOf(pieces)
          .filter((_, i) => !only || pieces[i]?.stream === only)
          .join("");
      const filled = (): ProcessOutput => fill(new ProcessOutput(budget, policy));
      const fill = (output: ProcessOutput): ProcessOutput => {
        for (const [i, text] of textsOf(pieces).entries()) {
          push(output, i + 1, pieces[i]?.stream as "stdout", text);
        }
        output.end();
        return output;
      };

      const late = filled();
      const early = new ProcessOutput(budget, policy);
      const readers = [early.stdout.getReader(), early.stderr.getReader()];
      fill(early);
      const expected = [kept(written("stdout"), budget, policy), kept(written("stderr"), budget, policy)];
      expect(await Promise.all(readers.map(readAll))).toEqual(expected);
      expect(
        await Promise.all([late.stdout, late.stderr].map((stream) => readAll(stream.getReader()))),
      ).toEqual(expected);
      const lost = (text: string): number => (policy === "fail" ? 0 : Math.max(0, text.length - budget));
      for (const { droppedBytes } of [early, late]) {
        expect(droppedBytes).toBe(lost(written("stdout")) + lost(written("stderr")));
      }

      const merged = filled();
      expect(merged.droppedBytes).toBe(lost(written()));
      expect(await readMerged(merged)).toEqual(kept(written(), budget, policy));
      expect(merged.droppedBytes).toBe(lost(written()));
    }),
  );
});

it("gives stdout and stderr the full budget each", async () => {
  const output = new ProcessOutput(10, "fail");
  push(output, 1, "stdout", "o".repeat(10));
  push(output, 2, "stderr", "e".repeat(10));
  output.end();
  expect(
    await Promise.all([output.stdout, output.stderr].map((stream) => readAll(stream.getReader()))),
  ).toEqual([
    { text: "o".repeat(10), overflow: false },
    { text: "e".repeat(10), overflow: false },
  ]);
});

it("fails only the stream that exceeds its budget", async () => {
  const output = new ProcessOutput(10, "fail");
  push(output, 1, "stdout", "o".repeat(11));
  push(output, 2, "stderr", "e");
  output.end();
  expect(await readAll(output.stdout.getReader())).toEqual({ text: "o".repeat(10), overflow: true });
  expect(await readAll(output.stderr.getReader())).toEqual({ text: "e", overflow: false });
});

/** Texts of these lengths in which each character depends on its position. */
function textsOf(pieces: readonly { length: number }[]): string[] {
  let at = 0;
  return pieces.map(({ length }) =>
    Array.from({ length }, () => String.fromCharCode(0x21 + (at++ % 89))).join(""),
  );
}

function kept(text: string, budget: number, policy: OverflowPolicy): Reading {
  const overflow = text.length > budget;
  if (policy === "fail") return { text: text.slice(0, budget), overflow };
  return { text: overflow ? text.slice(text.length - budget) : text, overflow: false };
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Reading> {
  return await collect(() => reader.read());
}

async function readMerged(output: ProcessOutput): Promise<Reading> {
  const iterator = output.iterate();
  return await collect(async () => {
    const { done = false, value } = await iterator.next();
    return { done, value: value?.chunk };
  });
}

async function collect(
  next: () => Promise<{ done: boolean; value?: Uint8Array | undefined }>,
): Promise<Reading> {
  let text = "";
  try {
    for (;;) {
      const { done, value } = await next();
      if (done) return { text, overflow: false };
      text += Buffer.from(value ?? []).toString("latin1");
    }
  } catch (error) {
    expect(error).toBeInstanceOf(OverflowError);
    return { text, overflow: true };
  }
}

function push(output: ProcessOutput, seq: number, stream: OutputChunk["stream"], text: string): void {
  output.push({ seq, stream, chunk: new TextEncoder().encode(text) });
}
