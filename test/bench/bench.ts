/**
 * Compares the built SDK with a minimal hand-written client and with other libraries, all on `ws`, on one real server and
 * in turns. Timings never fail the run. Arguments select cases by a part of their name; `--turns=N` sets the number of
 * turns of each case.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { ExecServer } from "../support/exec-server.ts";
import { processBesideFlood, statusBesideFlood } from "./cases/beside-flood.ts";
import { atOnce, oneByOne } from "./cases/calls.ts";
import type { Case } from "./cases/case.ts";
import { readFile, readWhole, writeFile } from "./cases/files.ts";
import { gateway } from "./cases/gateway.ts";
import { get, waiting } from "./cases/get.ts";
import { httpBody } from "./cases/http.ts";
import { outputOnNodes } from "./cases/nodes.ts";
import { output } from "./cases/output.ts";
import { reconnect } from "./cases/reconnect.ts";
import { input, startInput, startSignals, startTerminal } from "./cases/start.ts";
import { Clients } from "./clients.ts";
import { goalResults } from "./goals.ts";
import { interleave, type Samples } from "./measure.ts";
import { spreads, table } from "./table.ts";

const cases: readonly Case[] = [
  oneByOne,
  atOnce,
  output,
  ...outputOnNodes,
  readFile,
  writeFile,
  readWhole,
  httpBody,
  reconnect,
  get,
  waiting,
  gateway,
  statusBesideFlood,
  processBesideFlood,
  startSignals,
  startInput,
  startTerminal,
  input,
];

const { values, positionals: nameParts } = parseArgs({
  options: { turns: { type: "string" } },
  allowPositionals: true,
});
const selected = cases.filter(
  ({ name }) => nameParts.length === 0 || nameParts.some((part) => name.includes(part)),
);
if (selected.length === 0) {
  console.error(
    `No case has a name with one of these parts. The cases are: ${cases.map(({ name }) => name).join("; ")}`,
  );
  process.exit(1);
}

await using server = await ExecServer.start();
await using clients = await Clients.connect(server.url);

const results: [Case, Samples][] = [];
for (const [i, each] of selected.entries()) {
  const turns = Number(values.turns ?? each.turns);
  console.error(`${i + 1}/${selected.length} ${each.name}: ${turns} turns …`);
  const samples = await interleave(turns, await each.rounds(clients));
  results.push([each, samples]);
  for (const line of spreads(each, samples)) console.error(`    ${line}`);
}

console.log(`\n${table(results)}\n`);
console.log("Medians: wall time / processor time of the client; latencies have no processor time.");
console.log(
  "Speed and CPU: those of the SDK as a multiple of those of the hand-written client, turn by turn.",
);
console.log("codec alone: JSON and base64 of the same bytes, without a socket.");
console.log("Peers are measured in the cases they support: none reads files or makes HTTP requests, and the");
console.log("same few lines put the output of a process in order for all of them.");
console.log(
  `Node ${process.version}, ${availableParallelism()} cores. Only ratios compare across machines.\n`,
);
for (const [each, samples] of results)
  for (const line of goalResults(each, samples)) console.log(`goal: ${line}`);
