import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LazyExecServerClient } from "../../../dist/index.js";
import { webSocket } from "../../../dist/node.js";
import { quantile } from "../measure.ts";
import { closePages, openPages } from "./page.ts";
import type { Report, Way, WayName } from "./ways.ts";

const MiB = 1024 * 1024;
const BULK_MIB = 64;

/** Figures of one turn by name. One that a way can't have is missing. */
export type Figures = Readonly<Record<string, number | undefined>>;

/** The other way that a figure of the gateway is compared with, and how many times of its figure it may reach. */
export interface Goal {
  readonly figure: string;
  readonly beside: WayName;
  readonly atMost: number;
}

export interface Case {
  readonly name: string;
  readonly goals: readonly Goal[];
  /** Whether each turn needs a process that has served no page before. */
  readonly isFresh?: boolean;
  run(way: Way): Promise<Figures>;
}

/** Pages that are connected and do nothing. */
export function idlePages(count: number): Case {
  return {
    name: `${count} idle pages`,
    isFresh: true,
    goals: count < 1_000 ? [] : [{ figure: "KiB/page", beside: "bare ws proxy", atMost: 1.3 }],
    async run(way) {
      // What is made once, and the compiler's work, is no part of a page.
      await closePages(await openPages(way, 100));
      await sleep(500);
      const before = await way.report();
      const pages = await openPages(way, count);
      await sleep(500);
      const after = await way.report();
      await closePages(pages);
      return {
        "KiB/page": perItem(before, after, "memory", count * 1024),
        "rss KiB/page": perItem(before, after, "rss", count * 1024),
      };
    },
  };
}

export const busyPages: Case = {
  name: "200 busy pages",
  goals: [{ figure: "µs CPU/call", beside: "http-proxy", atMost: 1.1 }],
  async run(way) {
    const callsOfEach = 200;
    const pages = await openPages(way, 200);
    const before = await way.report();
    const latencies: number[] = [];
    await Promise.all(
      pages.map(async (page) => {
        for (let n = 0; n < callsOfEach; n++) latencies.push(await page.call());
      }),
    );
    const after = await way.report();
    await closePages(pages);
    return {
      "µs CPU/call": perItem(before, after, "cpuMs", latencies.length / 1000),
      "p95 ms": quantile(latencies, 0.95),
    };
  },
};

export const output: Case = {
  name: `output of ${BULK_MIB} MiB`,
  goals: [{ figure: "ms CPU/MiB", beside: "http-proxy", atMost: 1 }],
  run: (way) =>
    bulk(way, async (client) => {
      const process = await client.start(["head", "-c", String(BULK_MIB * MiB), "/dev/zero"]);
      for await (const _ of process);
    }),
};

export const input: Case = {
  name: `input of ${BULK_MIB} MiB`,
  goals: [{ figure: "ms CPU/MiB", beside: "http-proxy", atMost: 1 }],
  run: (way) =>
    bulk(way, async (client) => {
      const file = join(tmpdir(), `gateway-bench-${process.pid}`);
      const block = Buffer.alloc(8 * MiB);
      for (let sent = 0; sent < BULK_MIB * MiB; sent += block.length) await client.fs.writeFile(file, block);
      rmSync(file);
    }),
};

export const besideFlood: Case = {
  name: "100 interactive pages beside a flooding one",
  goals: [{ figure: "p95 ms", beside: "http-proxy", atMost: 1.3 }],
  async run(way) {
    const pages = await openPages(way, 100);
    await using client = clientOf(way);
    const flood = await client.start(["head", "-c", "10000000000", "/dev/zero"], { signal: undefined });
    let isFlooding = true;
    const read = (async () => {
      for await (const _ of flood) if (!isFlooding) break;
    })();
    const latencies: number[] = [];
    const until = performance.now() + 3_000;
    await Promise.all(
      pages.map(async (page, n) => {
        await sleep(n);
        while (performance.now() < until) {
          latencies.push(await page.call());
          await sleep(100);
        }
      }),
    );
    isFlooding = false;
    await flood.terminate();
    await read;
    await closePages(pages);
    return { "p95 ms": quantile(latencies, 0.95) };
  },
};

export const storm: Case = {
  name: "a storm of 1,000 pages",
  goals: [],
  async run(way) {
    const before = await way.report();
    const start = performance.now();
    const pages = await openPages(way, 1_000, 1_000);
    const seconds = (performance.now() - start) / 1000;
    const after = await way.report();
    await closePages(pages);
    return { "µs CPU/page": perItem(before, after, "cpuMs", pages.length / 1000), s: seconds };
  },
};

async function bulk(way: Way, work: (client: LazyExecServerClient) => Promise<void>): Promise<Figures> {
  await using client = clientOf(way);
  await client.status();
  const before = await way.report();
  const start = performance.now();
  await work(client);
  const seconds = (performance.now() - start) / 1000;
  return {
    "ms CPU/MiB": perItem(before, await way.report(), "cpuMs", BULK_MIB),
    "MiB/s": BULK_MIB / seconds,
  };
}

function clientOf({ url, protocols, headers }: Way): LazyExecServerClient {
  return new LazyExecServerClient({ transport: webSocket(url, { protocols, headers }) });
}

function perItem(
  before: Report | undefined,
  after: Report | undefined,
  of: keyof Report,
  items: number,
): number | undefined {
  return before && after && (after[of] - before[of]) / items;
}
