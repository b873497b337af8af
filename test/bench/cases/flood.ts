import { startByHand } from "../hand-written-process.ts";
import type { Case } from "./case.ts";

const MEBIBYTES = 64;
const BYTES = MEBIBYTES * 1024 * 1024;

export const FLOOD = ["head", "-c", String(BYTES), "/dev/zero"];

export const flood: Case = {
  name: "output flood",
  other: "hand-written",
  pairs: 31,
  goal: 0.95,
  work: { amount: MEBIBYTES, unit: "MiB/s" },
  rounds: async ({ sdk, handWritten }) => ({
    sdk: async () => {
      let bytes = 0;
      const process = await sdk.start(FLOOD);
      for await (const { chunk } of process) bytes += chunk.length;
      return complete(bytes);
    },
    other: async () => {
      let bytes = 0;
      const { closed } = await startByHand(handWritten, FLOOD, (chunk) => {
        bytes += chunk.length;
      });
      await closed;
      return complete(bytes);
    },
  }),
};

function complete(bytes: number): undefined {
  if (bytes !== BYTES) throw new Error(`${bytes} bytes of ${BYTES} have arrived`);
}
