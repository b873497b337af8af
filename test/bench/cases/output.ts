import { startByHand } from "../process-by-hand.ts";
import { ALONE, type Case, complete, everyone } from "./case.ts";

/** As much as makes a moment of compiling small, for those who have more code. */
export const MEBIBYTES = 128;
export const BYTES = MEBIBYTES * 1024 * 1024;
/** The largest piece the server sends. */
const PIECE = 8 * 1024;

export const FLOOD = ["head", "-c", String(BYTES), "/dev/zero"];

export const output: Case = {
  name: `output of ${MEBIBYTES} MiB`,
  unit: ["ms", "MiB"],
  amount: MEBIBYTES,
  turns: 9,
  goal: { speed: 0.95, cpu: 0.7 },
  rounds: async (clients) => ({
    ...(await everyone(
      clients,
      async () => {
        let bytes = 0;
        const process = await clients.sdk.start(FLOOD);
        for await (const { chunk } of process) bytes += chunk.length;
        return complete(bytes, BYTES);
      },
      async (client) => {
        let bytes = 0;
        const { closed } = await startByHand(client, FLOOD, (chunk) => {
          bytes += chunk.length;
        });
        await closed;
        return complete(bytes, BYTES);
      },
    )),
    [ALONE]: async () => codec(),
  }),
};

function codec(): undefined {
  const chunk = Buffer.alloc(PIECE).toString("base64");
  const params = { processId: "id-1", seq: 1, stream: "stdout", chunk };
  const frame = Buffer.from(JSON.stringify({ method: "process/output", params }));
  let bytes = 0;
  for (let n = 0; n < BYTES / PIECE; n++) {
    bytes += Buffer.from(JSON.parse(frame.toString()).params.chunk, "base64").length;
  }
  return complete(bytes, BYTES);
}
