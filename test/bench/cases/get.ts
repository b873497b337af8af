import { LazyExecServerClient } from "../../../dist/index.js";
import { webSocket } from "../../../dist/node.js";
import { HandWrittenClient } from "../hand-written.ts";
import type { Case } from "./case.ts";

const CALLS = 300_000;
const CALLERS = 100_000;

export const get: Case = {
  name: "get() on a live client",
  unit: ["ns", "call"],
  amount: CALLS,
  turns: 9,
  goal: { speed: 0.5 },
  rounds: async ({ sdk }) => {
    const client = await sdk.get();
    const bare = async () => client;
    // Two loops, so that each call site is optimised for one function.
    return {
      SDK: async () => {
        for (let i = 0; i < CALLS; i++) await sdk.get();
        return undefined;
      },
      "hand-written": async () => {
        for (let i = 0; i < CALLS; i++) await bare();
        return undefined;
      },
    };
  },
};

export const waiting: Case = {
  name: `${CALLERS.toLocaleString("en")} callers waiting for one connection`,
  unit: ["ns", "caller"],
  amount: CALLERS,
  turns: 9,
  goal: { wall: 1_000 },
  rounds: async ({ url }) => ({
    SDK: async () => {
      await using client = new LazyExecServerClient({ transport: webSocket(url) });
      const callers = Array.from({ length: CALLERS }, () => client.get());
      await Promise.all(callers);
      return undefined;
    },
    "hand-written": async () => {
      let connecting: Promise<HandWrittenClient> | undefined;
      const connected = async () => {
        connecting ??= HandWrittenClient.connect(url);
        return await connecting;
      };
      const callers = Array.from({ length: CALLERS }, () => connected());
      await Promise.all(callers);
      (await connecting)?.close();
      return undefined;
    },
  }),
};
