import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Clients } from "../clients.ts";
import type { Rounds, Sample } from "../measure.ts";
import { NODES, nodeBinary } from "../nodes.ts";
import type { Case } from "./case.ts";
import { MEBIBYTES } from "./output.ts";

/** A full collection visits each of them. */
const LIVE_OBJECTS = [0, 1_000_000];

/** Output on each available version of Node, beside a small and a large heap. */
export const outputOnNodes: readonly Case[] = NODES.flatMap((major) =>
  LIVE_OBJECTS.map((live) => ({
    name: `output on Node ${major} beside ${live.toLocaleString("en")} objects`,
    unit: ["ms", "MiB"] as const,
    amount: MEBIBYTES,
    turns: 9,
    goal: { cpu: 0.75 },
    rounds: async (clients: Clients) => roundsOn(nodeBinary(major), clients, live),
  })),
);

/** Both clients run in one child process, which measures itself. */
function roundsOn(node: string, clients: Clients, live: number): Rounds {
  const program = fileURLToPath(new URL("../flood.ts", import.meta.url));
  const child = spawn(node, ["--import", "tsx", program, clients.url, String(live)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  clients.onEnd(() => {
    child.stdin.end();
    return ended;
  });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const round = (name: string) => async (): Promise<Sample> => {
    child.stdin.write(`${name}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error(`${node} has exited`);
    return JSON.parse(value);
  };
  return { SDK: round("SDK"), "hand-written": round("hand-written") };
}
