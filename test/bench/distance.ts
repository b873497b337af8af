/**
 * Measures what a person waits for at several distances, with the built SDK and with a minimal hand-written client, on one
 * real server and in turns. Timings never fail the run. Arguments select operations by a part of their name.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LazyExecServerClient } from "../../dist/index.js";
import { webSocket } from "../../dist/node.js";
import { DelayingRelay } from "../support/delaying-relay.ts";
import { ExecServer } from "../support/exec-server.ts";
import { Origin } from "../support/origin.ts";
import { operations, type Pair } from "./distance-operations.ts";
import { HandWrittenClient } from "./hand-written.ts";
import { interleave, median, type Sample } from "./measure.ts";

/** Milliseconds of a round trip; 0 is without the relay. */
const DISTANCES = [0, 20, 100, 200];

const directory = await mkdtemp(join(tmpdir(), "distance-"));
const file = async (name: string, size: number): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, Buffer.alloc(size, "x"));
  return path;
};
const nameParts = process.argv.slice(2);
const selected = operations({
  small: await file("small", 6),
  "1 MiB": await file("1", 1024 * 1024),
  "16 MiB": await file("16", 16 * 1024 * 1024),
}).filter(({ name }) => nameParts.length === 0 || nameParts.some((part) => name.includes(part)));

const rows = selected.map(({ name }) => [name]);
const goals: string[] = [];
const typical = (samples: readonly Sample[] = []): number => median(samples.map(({ wall }) => wall));

for (const roundTrip of DISTANCES) {
  console.error(`${roundTrip} ms …`);
  await using server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  await using origin = await Origin.start((response) => response.end("hello"));
  await using relay = await DelayingRelay.start(server.url, roundTrip);
  const url = roundTrip === 0 ? server.url : relay.url;
  await using sdk = new LazyExecServerClient({ transport: webSocket(url) });
  const pair: Pair = { sdk, byHand: await HandWrittenClient.connect(url), server, url, origin: origin.url };
  for (const [at, { name, turns, turnsByHand, goal, ...measure }] of selected.entries()) {
    const rounds = { SDK: () => measure.sdk(pair), "hand-written": () => measure.byHand(pair) };
    // The turns of a long operation outweigh the time of the compiler.
    const samples =
      turnsByHand === undefined
        ? await interleave(turns, rounds, 1)
        : {
            ...(await interleave(turns, { SDK: rounds.SDK }, 0)),
            ...(await interleave(turnsByHand, { "hand-written": rounds["hand-written"] }, 0)),
          };
    const [own, other] = [typical(samples["SDK"]), typical(samples["hand-written"])];
    rows[at]?.push(`${figure(own)} / ${figure(other)}`);
    if (goal === undefined || roundTrip === 0) continue;
    const reached = own / roundTrip;
    const isMet = reached <= goal;
    goals.push(
      `${name}, ${roundTrip} ms away: ≤ ${goal} round trips: ${reached.toFixed(2)} ${isMet ? "met" : "MISSED"}`,
    );
  }
  pair.byHand.close();
}
await rm(directory, { recursive: true });

const header = [
  "ms: SDK / hand-written",
  ...DISTANCES.map((ms) => (ms === 0 ? "loopback" : `${ms} ms away`)),
];
const rule = header.map((_, column) => (column === 0 ? ":--" : "--:"));
console.log([header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n"));
console.log("\nMedians. A relay delays all bytes in both directions by half of the distance.");
for (const line of goals) console.log(`goal: ${line}`);

function figure(ms: number): string {
  return ms.toFixed(ms < 10 ? 1 : 0);
}
