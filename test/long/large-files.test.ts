import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realFiles } from "../support/remote-files.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

let real: Awaited<ReturnType<typeof realFiles>>;
beforeAll(async () => {
  real = await realFiles();
});
afterAll(() => real[Symbol.asyncDispose]());

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The memory in bytes that this process still references. */
function heldMemory(): number {
  // The first collection finds memory that only the second one frees.
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Samples the memory with every 64th call of `sample` and keeps the largest growth. */
function memoryGrowth() {
  const before = heldMemory();
  let pieces = 0;
  let most = 0;
  return {
    sample: () => {
      if (pieces++ % 64 === 0) most = Math.max(most, heldMemory() - before);
    },
    get most() {
      return most;
    },
  };
}

/** CPU time of this process, which other load on the machine does not change. */
function cpuTime() {
  const before = process.cpuUsage();
  return {
    get ms() {
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    },
  };
}

async function sha256(name: string): Promise<string> {
  return (await real.sh(`sha256sum ${name}`)).slice(0, 64);
}

describe("1 GiB", () => {
  it("is read as a stream with flat memory", { timeout: 120_000 }, async () => {
    // The number before each part shifts it, so that no two blocks are equal.
    await real.sh(`
      head -c ${64 * MIB} /dev/urandom > part
      for i in $(seq 17); do echo $i; cat part; done | head -c ${GIB} > source
    `);
    const expected = await sha256("source");
    const memory = memoryGrowth();
    const hash = createHash("sha256");
    const work = cpuTime();
    let bytes = 0;
    for await (const piece of real.fs.createReadStream(real.path("source"))) {
      hash.update(piece);
      bytes += piece.length;
      memory.sample();
    }
    expect(work.ms).toBeLessThan(25_000);
    expect(bytes).toBe(GIB);
    expect(hash.digest("hex")).toBe(expected);
    expect(memory.most).toBeLessThan(64 * MIB);
    await real.sh("rm source");
  });

  it("is written as a stream with flat memory", { timeout: 120_000 }, async () => {
    const piece = Buffer.allocUnsafe(777_777);
    const hash = createHash("sha256");
    const memory = memoryGrowth();
    const work = cpuTime();
    const writer = real.fs.createWriteStream(real.path("target")).getWriter();
    for (let at = 0; at < GIB; at += piece.length) {
      // Makes every piece different.
      piece.writeUInt32LE(at, 1_000);
      const part = piece.subarray(0, Math.min(piece.length, GIB - at));
      hash.update(part);
      await writer.write(part);
      memory.sample();
    }
    await writer.close();
    expect(work.ms).toBeLessThan(25_000);
    expect(await sha256("target")).toBe(hash.digest("hex"));
    expect(memory.most).toBeLessThan(64 * MIB);
  });
});

describe("200 MiB", () => {
  it("are written and read whole while a process on the same connection keeps responding", async () => {
    const { client, fs, path } = real;
    await real.sh(`head -c ${200 * MIB} /dev/urandom > source`);
    const cat = await client.start(["cat"], { stdin: "pipe" });
    const echoes = cat[Symbol.asyncIterator]();
    let answers = 0;
    let slowest = 0;
    let done = false;
    const echoing = (async () => {
      while (!done) {
        const sent = performance.now();
        await cat.write("?");
        await echoes.next();
        slowest = Math.max(slowest, performance.now() - sent);
        answers++;
      }
    })();
    const bytes = await fs.readFile(path("source"));
    await fs.writeFile(path("target"), bytes);
    const again = await fs.readFile(path("target"));
    done = true;
    await echoing;
    await cat.terminate();
    expect(bytes).toHaveLength(200 * MIB);
    expect(Buffer.compare(bytes, again)).toBe(0);
    expect(await real.sh("cmp source target && echo same")).toBe("same");
    expect(answers).toBeGreaterThan(20);
    expect(slowest).toBeLessThan(2_000);
    await real.sh("rm source target");
  });
});
