import type { LazyExecServerClient } from "exec-server-sdk";
import type { PageClient } from "./by-hand.ts";

const MiB = 1024 * 1024;
const CALLS = 512;
const AT_ONCE = 64;

/** What the rounds need of the servers. */
export interface Materials {
  readonly url: string;
  readonly protocols: readonly string[];
  /** A file of random bytes to read, and the path of one to write. */
  readonly file: string;
  readonly copy: string;
  readonly origin: string;
}

/** The amounts of one round, in the unit of its case. */
export const AMOUNTS = {
  "output, text": { amount: 64, unit: "MiB", goal: 0.9 },
  "output, bytes": { amount: 64, unit: "MiB", goal: 0.9 },
  "file read": { amount: 64, unit: "MiB", goal: 0.9 },
  "file written": { amount: 64, unit: "MiB", goal: 0.6 },
  "HTTP body": { amount: 64, unit: "MiB", goal: 0.9 },
  "calls one by one": { amount: CALLS, unit: "call", goal: undefined },
  "calls, 64 at once": { amount: CALLS * 4, unit: "call", goal: undefined },
} as const;
export type CaseName = keyof typeof AMOUNTS;

/** The size of the file and of the response, in bytes. */
export const SIZE = 64 * MiB;
const LINES = ["sh", "-c", `yes 'a line of output' | head -c ${SIZE}`];

export type Work = { readonly [Name in CaseName]: () => Promise<void> };

export function sdkWork(client: LazyExecServerClient, { file, copy, origin }: Materials): Work {
  const data = new Uint8Array(SIZE).fill(120);
  return {
    "output, text": async () => {
      const text = new TextLength();
      const process = await client.start(LINES);
      for await (const { chunk } of process) text.add(chunk);
      checkLength(text.length);
    },
    "output, bytes": async () => {
      let length = 0;
      const process = await client.start(["cat", file]);
      for await (const { chunk } of process) length += chunk.length;
      checkLength(length);
    },
    "file read": async () => {
      let length = 0;
      for await (const block of client.fs.createReadStream(file)) length += block.length;
      checkLength(length);
    },
    "file written": () => client.fs.writeFile(copy, data),
    "HTTP body": async () => {
      let length = 0;
      const { body } = await client.fetch(origin);
      if (body) for await (const chunk of body) length += chunk.length;
      checkLength(length);
    },
    "calls one by one": async () => {
      for (let n = 0; n < CALLS; n++) await client.status();
    },
    "calls, 64 at once": () => atOnce(() => client.status()),
  };
}

export function handWrittenWork(client: PageClient, { file, copy, origin }: Materials): Work {
  const data = new Uint8Array(SIZE).fill(120);
  const status = () => client.call("environment/status", null);
  return {
    "output, text": async () => {
      const text = new TextLength();
      await client.output(LINES, (chunk) => text.add(chunk));
      checkLength(text.length);
    },
    "output, bytes": async () => {
      let length = 0;
      await client.output(["cat", file], (chunk) => {
        length += chunk.length;
      });
      checkLength(length);
    },
    "file read": async () => checkLength(await client.read(file, SIZE)),
    "file written": () => client.write(copy, data),
    "HTTP body": async () => checkLength(await client.fetch(origin)),
    "calls one by one": async () => {
      for (let n = 0; n < CALLS; n++) await status();
    },
    "calls, 64 at once": () => atOnce(status),
  };
}

/** Decodes chunks of UTF-8 and counts the characters. */
class TextLength {
  readonly #decoder = new TextDecoder();
  length = 0;

  add(chunk: Uint8Array): void {
    this.length += this.#decoder.decode(chunk, { stream: true }).length;
  }
}

async function atOnce(call: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < CALLS * 4; n += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, call));
}

function checkLength(length: number): void {
  if (length !== SIZE) throw new Error(`expected ${SIZE} bytes, got ${length}`);
}
