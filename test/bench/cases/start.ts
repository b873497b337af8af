import type { LazyExecServerClient } from "../../../dist/index.js";
import type { StartOptions } from "../../../src/process/options.ts";
import type { Case } from "./case.ts";

const STARTS = 20;
const MiB = 1024 * 1024;
const MEBIBYTES = 64;
const READER = ["sh", "-c", `head -c ${MEBIBYTES * MiB} >/dev/null`];

/** What the launcher adds to the start and the end of a short program. */
function startWith(name: string, options: StartOptions): Case {
  return {
    name: `a start with ${name} (beside: plain)`,
    unit: ["ms", "start"],
    amount: STARTS,
    turns: 9,
    rounds: async ({ sdk }) => ({
      SDK: () => startAll(sdk, options),
      "hand-written": () => startAll(sdk, {}),
    }),
  };
}

export const startSignals = startWith("signals", { signals: true });
export const startInput = startWith("stdin", { stdin: "pipe" });
export const startTerminal = startWith("tty", { tty: true });

export const input: Case = {
  name: `input of ${MEBIBYTES} MiB with its end (beside: writes without the launcher)`,
  unit: ["ms", "MiB"],
  amount: MEBIBYTES,
  turns: 7,
  rounds: async ({ sdk }) => {
    const data = new Uint8Array(MEBIBYTES * MiB).fill(120);
    return {
      SDK: async () => {
        await sdk.run(READER, { input: data });
        return undefined;
      },
      "hand-written": async () => {
        const process = await sdk.start(READER, { stdin: "pipe", signals: false });
        await process.write(data);
        await process.closed;
        return undefined;
      },
    };
  },
};

async function startAll(sdk: LazyExecServerClient, options: StartOptions): Promise<undefined> {
  for (let n = 0; n < STARTS; n++) await (await sdk.start(["true"], options)).closed;
}
