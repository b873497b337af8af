import type { Case } from "./case.ts";

const TIMES = 300_000;

export const get: Case = {
  name: "get() on a live client",
  other: "bare async function",
  pairs: 15,
  goal: 0.5,
  work: { amount: TIMES, unit: "calls/s" },
  rounds: async ({ sdk }) => {
    const client = await sdk.get();
    const bare = async () => client;
    // Two loops, so that each call site is compiled for what it calls.
    return {
      sdk: async () => {
        for (let i = 0; i < TIMES; i++) await sdk.get();
        return undefined;
      },
      other: async () => {
        for (let i = 0; i < TIMES; i++) await bare();
        return undefined;
      },
    };
  },
};
