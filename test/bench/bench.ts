/**
 * Compares the built SDK with a minimal hand-written client, both on `ws` and on one real server. Shows, never judges:
 * timings fail nothing. Arguments pick cases by a part of their name.
 */
import { availableParallelism } from "node:os";
import { ExecServer } from "../support/exec-server.ts";
import { processBesideFlood, statusBesideFlood } from "./cases/beside-flood.ts";
import { atOnce, oneByOne } from "./cases/calls.ts";
import type { Case } from "./cases/case.ts";
import { readFileInBlocks, readFileWhole, writeFileInBlocks } from "./cases/files.ts";
import { flood } from "./cases/flood.ts";
import { gateway } from "./cases/gateway.ts";
import { get } from "./cases/get.ts";
import { streamBody } from "./cases/http.ts";
import { connect } from "./clients.ts";
import { interleave, type Pair, type Spread, spread } from "./measure.ts";
import { print } from "./table.ts";

const cases: readonly Case[] = [
  oneByOne,
  atOnce,
  flood,
  gateway,
  get,
  readFileInBlocks,
  writeFileInBlocks,
  readFileWhole,
  streamBody,
  statusBesideFlood,
  processBesideFlood,
];

const wanted = process.argv.slice(2);
const chosen = cases.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
if (chosen.length === 0) {
  console.error(`No case is called like that. There are: ${cases.map(({ name }) => name).join("; ")}`);
  process.exit(1);
}

await using server = await ExecServer.start();
await using clients = await connect(server.url);

const table = [
  ["case", "client", "ms (min–max)", "CPU ms (min–max)", "rate", "speed ratio", "CPU ratio", "goal"],
];
for (const [i, each] of chosen.entries()) {
  console.error(`${i + 1}/${chosen.length} ${each.name}: ${each.pairs} pairs of rounds …`);
  const rounds = await each.rounds(clients);
  table.push(...linesOf(each, await interleave(each.pairs, rounds.sdk, rounds.other)));
}

print(table);
console.log("\nMedians over rounds; ratios pair by pair. Speed ratio: above 1 the SDK is the faster one;");
console.log("CPU ratio: below 1 it needs less processor time. Only ratios compare across machines.");
console.log(`Node ${process.version}, ${availableParallelism()} cores`);

function linesOf({ name, other, goal, work }: Case, pairs: readonly Pair[]): string[][] {
  const line = (first: string, client: string, who: keyof Pair): string[] => {
    const ms = spread(pairs.map((pair) => pair[who].ms));
    const rate = work && `${Math.round((work.amount / ms.median) * 1000).toLocaleString("en")} ${work.unit}`;
    const cpu = work && shown(spread(pairs.map((pair) => pair[who].cpuMs)));
    return [first, client, shown(ms), cpu ?? "", rate ?? ""];
  };
  const speed = spread(pairs.map((pair) => pair.other.ms / pair.sdk.ms));
  const cpu = spread(pairs.map((pair) => pair.sdk.cpuMs / pair.other.cpuMs));
  const verdict =
    goal === undefined ? "" : `≥ ${goal.toFixed(2)}: ${speed.median >= goal ? "met" : "missed"}`;
  return [
    [...line(name, "SDK", "sdk"), shown(speed), work ? shown(cpu) : "", verdict],
    line("", other, "other"),
  ];
}

function shown({ median, min, max }: Spread): string {
  const digits = max < 10 ? 2 : max < 100 ? 1 : 0;
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}
