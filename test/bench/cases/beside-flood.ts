import { quantile } from "../measure.ts";
import { startByHand } from "../process-by-hand.ts";
import type { Case } from "./case.ts";

/** 32 MiB: less than the client buffers for a reader. */
const FLOOD = ["head", "-c", String(32 * 1024 * 1024), "/dev/zero"];
const ECHO = ["echo", "hello"];

export const statusBesideFlood: Case = {
  name: "status beside unread output, p95",
  unit: ["ms", "call"],
  amount: 1,
  turns: 5,
  isLatency: true,
  rounds: async ({ sdk, handWritten }) => ({
    SDK: async () => latency(await sdk.start(FLOOD), () => sdk.status()),
    "hand-written": async () => {
      const chunks: Uint8Array[] = [];
      const flood = await startByHand(handWritten, FLOOD, (chunk) => chunks.push(chunk));
      return await latency(flood, () => handWritten.call("environment/status", null));
    },
  }),
};

export const processBesideFlood: Case = {
  name: "a process beside unread output, p95",
  unit: ["ms", "process"],
  amount: 1,
  turns: 5,
  isLatency: true,
  rounds: async ({ sdk, handWritten }) => ({
    SDK: async () => latency(await sdk.start(FLOOD), async () => await (await sdk.start(ECHO)).closed),
    "hand-written": async () => {
      const chunks: Uint8Array[] = [];
      const flood = await startByHand(handWritten, FLOOD, (chunk) => chunks.push(chunk));
      return await latency(flood, async () => await (await startByHand(handWritten, ECHO, () => {})).closed);
    },
  }),
};

/** The 95th percentile, in milliseconds, of an operation repeated while the flood lasts. */
async function latency(flood: { closed: Promise<unknown> }, act: () => Promise<unknown>): Promise<number> {
  let flooding = true;
  const ended = flood.closed.then(() => {
    flooding = false;
  });
  const latencies: number[] = [];
  while (flooding) {
    const start = performance.now();
    await act();
    latencies.push(performance.now() - start);
  }
  await ended;
  return quantile(latencies, 0.95);
}
