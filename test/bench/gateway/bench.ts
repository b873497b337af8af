/**
 * Compares the built gateway with no proxy at all, with a bare proxy on `ws` and with `http-proxy`, in front of one real
 * exec-server, in turns. Timings never fail the run. Arguments select cases by a part of their name; `--turns=N` sets the
 * number of turns.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { ExecServer } from "../../support/exec-server.ts";
import { median } from "../measure.ts";
import { installedPeers } from "../peers.ts";
import { print } from "../print.ts";
import { besideFlood, busyPages, type Case, type Figures, idlePages, input, output, storm } from "./cases.ts";
import { WAY_NAMES, Way, type WayName } from "./ways.ts";

const CASES: readonly Case[] = [
  idlePages(100),
  idlePages(1_000),
  idlePages(3_000),
  busyPages,
  output,
  input,
  besideFlood,
  storm,
];

const { values, positionals: nameParts } = parseArgs({
  options: { turns: { type: "string", default: "5" } },
  allowPositionals: true,
});
const selected = CASES.filter(
  ({ name }) => nameParts.length === 0 || nameParts.some((part) => name.includes(part)),
);

installedPeers();
await using server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
const lines: string[][] = [["", "", ...WAY_NAMES]];
const goals: string[] = [];
for (const each of selected) {
  const results = await turns(each);
  for (const figure of Object.keys(results.gateway[0] ?? {})) {
    lines.push([each.name, figure, ...WAY_NAMES.map((name) => shown(middle(results[name], figure)))]);
  }
  for (const { figure, beside, atMost } of each.goals) {
    const ratio = middle(results.gateway, figure) / middle(results[beside], figure);
    const verdict = ratio <= atMost ? "met" : "MISSED";
    goals.push(`${each.name}: ${figure} ≤ ${atMost} of ${beside}'s: ${ratio.toFixed(2)} ${verdict}`);
  }
}
console.log();
print(lines);
console.log(
  `\nMedians of ${values.turns} turns. Processor and memory are those of the process between; latencies those of the pages.`,
);
console.log(
  `Node ${process.version}, ${availableParallelism()} cores. Only ratios compare across machines.\n`,
);
for (const line of goals) console.log(`goal: ${line}`);

/** The figures of every way, which take turns, starting with a different one each time. The first turn does not count. */
async function turns(each: Case): Promise<Record<WayName, Figures[]>> {
  const results: Record<WayName, Figures[]> = {
    direct: [],
    gateway: [],
    "bare ws proxy": [],
    "http-proxy": [],
  };
  const kept = new Map<WayName, Way>();
  for (const name of each.isFresh ? [] : WAY_NAMES) kept.set(name, await Way.start(name, server.url));
  for (let turn = each.isFresh ? 0 : -1; turn < Number(values.turns); turn++) {
    console.error(`${each.name}: ${turn < 0 ? "warming up" : `turn ${turn + 1}`} …`);
    for (const at of WAY_NAMES.keys()) {
      const name = WAY_NAMES[(at + turn + 1) % WAY_NAMES.length] as WayName;
      const figures = await oneTurn(each, name, kept.get(name));
      if (turn >= 0) results[name].push(figures);
    }
  }
  for (const way of kept.values()) await way[Symbol.asyncDispose]();
  return results;
}

async function oneTurn(each: Case, name: WayName, kept: Way | undefined): Promise<Figures> {
  if (kept) return await each.run(kept);
  if (name === "direct") return {};
  await using way = await Way.start(name, server.url);
  return await each.run(way);
}

function middle(results: readonly Figures[], figure: string): number {
  return median(results.flatMap((figures) => figures[figure] ?? []));
}

function shown(value: number): string {
  return Number.isNaN(value) ? "–" : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
