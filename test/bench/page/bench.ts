/**
 * Compares the built SDK in a page with a minimal hand-written page client: in Chromium, on the same gateway and real
 * exec-server, in turns. Both are measured in the page, and with their WebSocket in a worker behind a message port.
 * Timings never fail the run. Arguments select cases by a part of their name; `--turns=N` sets the number of turns.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { BareBrowser } from "../../../e2e/support/bare-browser.ts";
import { median } from "../measure.ts";
import type { PageFigures } from "./main.ts";
import { startServers } from "./servers.ts";
import { AMOUNTS, type CaseName } from "./work.ts";

/** The page, and beside it the hand-written one of the same structure. */
const PAIRS = [
  ["SDK", "hand-written"],
  ["SDK, port", "hand-written, port"],
] as const;
const CLIENTS = PAIRS.flat();

/** Milliseconds between two looks at the memory. */
const LOOK_MS = 20;
const IDLE_MS = 1_000;

/** `cpu` is the processor time of the main thread in milliseconds, `memory` the growth at its peak in MiB. */
interface Figures extends PageFigures {
  readonly cpu: number;
  readonly memory: number;
}

const { values, positionals: nameParts } = parseArgs({
  options: { turns: { type: "string", default: "5" } },
  allowPositionals: true,
});
const names = (Object.keys(AMOUNTS) as CaseName[]).filter(
  (name) => nameParts.length === 0 || nameParts.some((part) => name.includes(part)),
);

await using servers = await startServers();
await using browser = await BareBrowser.open(servers.page);
await browser.until("'bench' in globalThis");
await browser.evaluate(`bench.connect(${JSON.stringify(servers.materials)})`);

async function measure(expression: string): Promise<Figures> {
  await browser.settle();
  const before = { cpu: await browser.mainThreadMs(), memory: browser.memory() };
  let peak = before.memory;
  const watch = setInterval(() => {
    peak = Math.max(peak, browser.memory());
  }, LOOK_MS);
  const figures = (await browser.evaluate(expression)) as PageFigures;
  clearInterval(watch);
  return { ...figures, cpu: (await browser.mainThreadMs()) - before.cpu, memory: peak - before.memory };
}

const idle: Figures[] = [];
const results = new Map<CaseName, Record<string, Figures[]>>();
for (const name of names) {
  const figures = Object.fromEntries(CLIENTS.map((client) => [client, [] as Figures[]]));
  results.set(name, figures);
  // The first turn, which compiles, does not count.
  for (let turn = -1; turn < Number(values.turns); turn++) {
    for (const at of CLIENTS.keys()) {
      const client = CLIENTS[(at + turn + 1) % CLIENTS.length] as string;
      const round = await measure(`bench.round(${JSON.stringify(client)}, ${JSON.stringify(name)})`);
      if (turn >= 0) figures[client]?.push(round);
    }
  }
  idle.push(await measure(`bench.idle(${IDLE_MS})`));
  console.error(`${name}: ${values.turns} turns`);
}

const figure = (value: number): string => value.toFixed(value < 1 ? 2 : value < 20 ? 1 : 0);
const goals: string[] = [];

/** One line: main thread, wall time, dropped frames and memory of a client, and its ratios to the other one. */
function line(name: CaseName, own: string, other: string): string[] {
  const { amount, unit, goal } = AMOUNTS[name];
  const scale = (unit === "MiB" ? 1 : 1000) / amount;
  const [mine = [], theirs = []] = [results.get(name)?.[own], results.get(name)?.[other]];
  const ratio = (kind: "cpu" | "wall"): number =>
    median(mine.map((round, turn) => round[kind] / (theirs[turn]?.[kind] ?? Number.NaN)));
  const both = (kind: keyof Figures, by = 1): string =>
    [mine, theirs].map((rounds) => figure(median(rounds.map((round) => round[kind])) * by)).join(" / ");
  const longest = [mine, theirs].map((rounds) => Math.max(...rounds.map((round) => round.longestTask)));
  if (goal !== undefined && own === "SDK") {
    const reached = ratio("cpu");
    const isMet = reached <= goal ? "met" : "MISSED";
    goals.push(`${name}: main thread ≤ ${goal} of the hand-written client's: ${reached.toFixed(2)} ${isMet}`);
  }
  return [
    `${name}, ${unit === "MiB" ? "ms/MiB" : "µs"}${own === "SDK" ? "" : ", port"}`,
    both("cpu", scale),
    both("wall", scale),
    both("dropped"),
    longest.map((ms) => (ms === 0 ? "–" : figure(ms))).join(" / "),
    both("memory"),
    ratio("cpu").toFixed(2),
    ratio("wall").toFixed(2),
  ];
}

const header = [
  "SDK / hand-written",
  "main thread",
  "wall",
  "dropped frames",
  "longest task, ms",
  "peak MiB",
];
const lines = names.flatMap((name) => PAIRS.map(([own, other]) => line(name, own, other)));
const rule = [":--", ...Array.from({ length: 7 }, () => "--:")];
console.log(
  [[...header, "main thread ×", "wall ×"], rule, ...lines]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n"),
);
const droppedBy = (rounds: readonly Figures[] = []): number => median(rounds.map(({ dropped }) => dropped));
const idleFrames = droppedBy(idle);
if (names.includes("file written")) {
  const reached = droppedBy(results.get("file written")?.["SDK"]);
  const isMet = reached <= idleFrames ? "met" : "MISSED";
  goals.push(
    `file written: dropped frames ≤ the idle page's, ${figure(idleFrames)}: ${figure(reached)} ${isMet}`,
  );
}
console.log(
  `\nIdle page, ${IDLE_MS} ms: ${figure(idleFrames)} frames dropped, ${figure(median(idle.map(({ cpu }) => cpu)))} ms of main thread.`,
);
console.log(
  "Main thread: processor time. Ratios: SDK to hand-written, median of the turns; below 1 the SDK takes less.",
);
console.log(
  "Port: the WebSocket is in a worker, with bridge() or a relay of a few lines. Longest task: above 50 ms only.",
);
console.log(`${await browser.evaluate("navigator.userAgent")}, ${availableParallelism()} cores\n`);
for (const each of goals) console.log(`goal: ${each}`);
