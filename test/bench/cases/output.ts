import type { LazyExecServerClient } from "../../../dist/index.js";
import { startByHand } from "../process-by-hand.ts";
import type { RpcClient } from "../rpc-client.ts";
import { type Case, CODEC_ALONE, checkLength, roundsForAll } from "./case.ts";

/** Large enough that the time to compile a client with more code hardly counts. */
export const MEBIBYTES = 128;
export const BYTES = MEBIBYTES * 1024 * 1024;
/** The largest chunk that the server sends. */
const CHUNK = 8 * 1024;

export const FLOOD = ["head", "-c", String(BYTES), "/dev/zero"];

export const output: Case = {
  name: `output of ${MEBIBYTES} MiB`,
  unit: ["ms", "MiB"],
  amount: MEBIBYTES,
  turns: 9,
  goal: { speed: 0.95, cpu: 0.7 },
  rounds: async (clients) => ({
    ...(await roundsForAll(
      clients,
      () => readBySdk(clients.sdk, FLOOD),
      (client) => readByHand(client, FLOOD),
    )),
    [CODEC_ALONE]: async () => codec(),
  }),
};

export async function readBySdk(client: LazyExecServerClient, argv: string[]): Promise<undefined> {
  let bytes = 0;
  const process = await client.start(argv);
  for await (const { chunk } of process) bytes += chunk.length;
  return checkLength(bytes, BYTES);
}

export async function readByHand(client: RpcClient, argv: string[]): Promise<undefined> {
  let bytes = 0;
  const { closed } = await startByHand(client, argv, (chunk) => {
    bytes += chunk.length;
  });
  await closed;
  return checkLength(bytes, BYTES);
}

function codec(): undefined {
  const chunk = Buffer.alloc(CHUNK).toString("base64");
  const params = { processId: "id-1", seq: 1, stream: "stdout", chunk };
  const frame = Buffer.from(JSON.stringify({ method: "process/output", params }));
  let bytes = 0;
  for (let n = 0; n < BYTES / CHUNK; n++) {
    bytes += Buffer.from(JSON.parse(frame.toString()).params.chunk, "base64").length;
  }
  return checkLength(bytes, BYTES);
}
