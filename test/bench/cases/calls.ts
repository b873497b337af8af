import type { Case } from "./case.ts";

const SEQUENTIAL_CALLS = 2_000;
const LANES = 64;
const CALLS_PER_LANE = 100;

export const oneByOne: Case = {
  name: "calls one by one",
  other: "hand-written",
  pairs: 31,
  goal: 0.95,
  work: { amount: SEQUENTIAL_CALLS, unit: "calls/s" },
  rounds: async ({ sdk, handWritten }) => ({
    sdk: () => repeat(SEQUENTIAL_CALLS, () => sdk.status()),
    other: () => repeat(SEQUENTIAL_CALLS, () => handWritten.call("environment/status", null)),
  }),
};

export const atOnce: Case = {
  name: `calls ${LANES} at once`,
  other: "hand-written",
  pairs: 31,
  goal: 0.95,
  work: { amount: LANES * CALLS_PER_LANE, unit: "calls/s" },
  rounds: async ({ sdk, handWritten }) => ({
    sdk: () => inLanes(() => sdk.status()),
    other: () => inLanes(() => handWritten.call("environment/status", null)),
  }),
};

async function repeat(times: number, call: () => Promise<unknown>): Promise<undefined> {
  for (let i = 0; i < times; i++) await call();
}

async function inLanes(call: () => Promise<unknown>): Promise<undefined> {
  await Promise.all(Array.from({ length: LANES }, () => repeat(CALLS_PER_LANE, call)));
}
