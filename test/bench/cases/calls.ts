import { type Case, CODEC_ALONE, roundsForAll } from "./case.ts";

const SEQUENTIAL_CALLS = 2_000;
const LANES = 64;
const CALLS_PER_LANE = 100;
const METHOD = "environment/status";

export const oneByOne: Case = {
  name: "calls one by one",
  unit: ["µs", "call"],
  amount: SEQUENTIAL_CALLS,
  turns: 9,
  goal: { speed: 0.95, cpu: 1.05 },
  rounds: async (clients) => ({
    ...(await roundsForAll(
      clients,
      () => repeat(SEQUENTIAL_CALLS, () => clients.sdk.status()),
      (client) => repeat(SEQUENTIAL_CALLS, () => client.call(METHOD, null)),
    )),
    [CODEC_ALONE]: async () => codec(SEQUENTIAL_CALLS),
  }),
};

export const atOnce: Case = {
  name: `calls ${LANES} at once`,
  unit: ["µs", "call"],
  amount: LANES * CALLS_PER_LANE,
  turns: 9,
  goal: { speed: 0.95, cpu: 1.05 },
  rounds: async (clients) => ({
    ...(await roundsForAll(
      clients,
      () => inLanes(() => clients.sdk.status()),
      (client) => inLanes(() => client.call(METHOD, null)),
    )),
    [CODEC_ALONE]: async () => codec(LANES * CALLS_PER_LANE),
  }),
};

async function repeat(times: number, call: () => Promise<unknown>): Promise<undefined> {
  for (let i = 0; i < times; i++) await call();
}

async function inLanes(call: () => Promise<unknown>): Promise<undefined> {
  await Promise.all(Array.from({ length: LANES }, () => repeat(CALLS_PER_LANE, call)));
}

function codec(calls: number): undefined {
  for (let id = 0; id < calls; id++) {
    const request = Buffer.from(JSON.stringify({ id, method: METHOD, params: null }));
    JSON.parse(`{"id":${request.length},"result":{"status":"ready"}}`);
  }
}
