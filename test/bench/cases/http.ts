import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { newId, type RpcClient } from "../rpc-client.ts";
import { type Case, CODEC_ALONE, checkLength } from "./case.ts";

const MEBIBYTES = 32;
const MiB = 1024 * 1024;
const BYTES = MEBIBYTES * MiB;
/** About the size of one delta that the server sends. */
const CHUNK = MiB / 2;

export const httpBody: Case = {
  name: `HTTP body of ${MEBIBYTES} MiB`,
  unit: ["ms", "MiB"],
  amount: MEBIBYTES,
  turns: 7,
  goal: { speed: 0.95, cpu: 0.7 },
  rounds: async ({ sdk, handWritten }) => {
    const url = await startOrigin(MEBIBYTES);
    return {
      SDK: async () => {
        let bytes = 0;
        const { body } = await sdk.fetch(url);
        if (body) for await (const chunk of body) bytes += chunk.length;
        return checkLength(bytes, BYTES);
      },
      "hand-written": async () => checkLength(await fetchByHand(handWritten, url), BYTES),
      [CODEC_ALONE]: async () => codec(),
    };
  },
};

/** Runs the origin in its own process, so that its processor time is not counted. */
export async function startOrigin(mebibytes: number): Promise<string> {
  const program = fileURLToPath(new URL("../origin.mjs", import.meta.url));
  const child = spawn(process.execPath, [program, String(mebibytes)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill());
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  child.unref();
  child.stdout.destroy();
  (child.stdin as Socket).unref();
  return url;
}

/** Resolves with the length of the whole body. */
async function fetchByHand(client: RpcClient, url: string): Promise<number> {
  const requestId = newId();
  let bytes = 0;
  const whole = new Promise<void>((onDone) => {
    client.listeners.set(requestId, (_, { deltaBase64, done }) => {
      bytes += Buffer.from(deltaBase64, "base64").length;
      if (done) onDone();
    });
  });
  await client.call("http/request", { method: "GET", url, headers: [], requestId, streamResponse: true });
  await whole;
  client.listeners.delete(requestId);
  return bytes;
}

function codec(): undefined {
  const deltaBase64 = Buffer.alloc(CHUNK, "x").toString("base64");
  const params = { requestId: "id-1", seq: 1, deltaBase64, done: false };
  const frame = Buffer.from(JSON.stringify({ method: "http/request/bodyDelta", params }));
  let bytes = 0;
  for (let n = 0; n < BYTES / CHUNK; n++) {
    bytes += Buffer.from(JSON.parse(frame.toString()).params.deltaBase64, "base64").length;
  }
  return checkLength(bytes, BYTES);
}
