import { startByHand } from "../hand-written-process.ts";
import { quantile } from "../measure.ts";
import type { Case } from "./case.ts";
import { FLOOD } from "./flood.ts";

const ECHO = ["echo", "hello"];

export const statusBesideFlood: Case = {
  name: "status beside an unread flood, p95",
  other: "hand-written",
  pairs: 21,
  rounds: async ({ sdk, handWritten }) => ({
    sdk: async () => latency(await sdk.start(FLOOD), () => sdk.status()),
    other: async () => {
      const kept: Uint8Array[] = [];
      const flood = await startByHand(handWritten, FLOOD, (chunk) => kept.push(chunk));
      return await latency(flood, () => handWritten.call("environment/status", null));
    },
  }),
};

export const processBesideFlood: Case = {
  name: "process beside an unread flood, p95",
  other: "hand-written",
  pairs: 21,
  rounds: async ({ sdk, handWritten }) => ({
    sdk: async () => latency(await sdk.start(FLOOD), async () => await (await sdk.start(ECHO)).closed),
    other: async () => {
      const kept: Uint8Array[] = [];
      const flood = await startByHand(handWritten, FLOOD, (chunk) => kept.push(chunk));
      return await latency(flood, async () => await (await startByHand(handWritten, ECHO, () => {})).closed);
    },
  }),
};

/** The 95th percentile, in milliseconds, of what is done over and over while the flood lasts. */
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
