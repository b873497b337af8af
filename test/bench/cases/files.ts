import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { newId, type RpcClient } from "../rpc-client.ts";
import { type Case, CODEC_ALONE, checkLength } from "./case.ts";

const MiB = 1024 * 1024;
const BLOCKS = 64;
const IN_FLIGHT = 4;
/** Fits into one response; `fs/readFile` sends the whole file at once. */
const WHOLE_BLOCKS = 70;

const path = join(tmpdir(), `exec-server-bench-${process.pid}`);
const copyPath = `${path}-copy`;
process.once("exit", () => {
  void rm(path, { force: true });
});

export const readFile: Case = {
  name: `a file of ${BLOCKS} MiB read as a stream`,
  unit: ["ms", "MiB"],
  amount: BLOCKS,
  turns: 7,
  goal: { speed: 0.95, cpu: 0.5 },
  rounds: async ({ sdk, handWritten }) => {
    await makeFile(BLOCKS);
    return {
      SDK: async () => {
        let bytes = 0;
        for await (const block of sdk.fs.createReadStream(path)) bytes += block.length;
        return checkLength(bytes, BLOCKS * MiB);
      },
      "hand-written": async () => checkLength(await readByHand(handWritten, path, BLOCKS), BLOCKS * MiB),
      [CODEC_ALONE]: async () => decode(BLOCKS),
    };
  },
};

export const writeFile: Case = {
  name: `a file of ${BLOCKS} MiB written`,
  unit: ["ms", "MiB"],
  amount: BLOCKS,
  turns: 7,
  goal: { speed: 0.95, cpu: 0.5 },
  rounds: async ({ sdk, handWritten }) => {
    const data = new Uint8Array(BLOCKS * MiB).fill(120);
    return {
      SDK: async () => {
        await sdk.fs.writeFile(copyPath, data);
        return undefined;
      },
      "hand-written": async () => {
        await writeByHand(handWritten, copyPath, data);
        await sdk.fs.rm(copyPath);
        return undefined;
      },
      [CODEC_ALONE]: async () => encode(data),
    };
  },
};

export const readWhole: Case = {
  name: `readFile of ${WHOLE_BLOCKS} MiB (beside: one fs/readFile)`,
  unit: ["ms", "MiB"],
  amount: WHOLE_BLOCKS,
  turns: 7,
  goal: { speed: 4 },
  rounds: async ({ sdk, handWritten }) => {
    await makeFile(WHOLE_BLOCKS);
    const uri = pathToFileURL(path).href;
    return {
      SDK: async () => checkLength((await sdk.fs.readFile(path)).length, WHOLE_BLOCKS * MiB),
      "hand-written": async () => {
        const { dataBase64 } = (await handWritten.call("fs/readFile", { path: uri })) as {
          dataBase64: string;
        };
        return checkLength(Buffer.from(dataBase64, "base64").length, WHOLE_BLOCKS * MiB);
      },
    };
  },
};

/** Creates the file to read; every block has different bytes. */
async function makeFile(blocks: number): Promise<void> {
  const file = createWriteStream(path);
  const block = Buffer.alloc(MiB, "exec-server ");
  for (let n = 0; n < blocks; n++) {
    block.writeUInt32LE(n, 0);
    if (!file.write(block)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
}

async function readByHand(client: RpcClient, from: string, blocks: number): Promise<number> {
  const handleId = newId();
  await client.call("fs/open", { path: pathToFileURL(from).href, handleId, mode: "read" });
  const readBlock = (n: number) => client.call("fs/readBlock", { handleId, offset: n * MiB, len: MiB });
  const inFlight = Array.from({ length: IN_FLIGHT }, (_, n) => readBlock(n));
  let bytes = 0;
  for (let n = 0; n < blocks; n++) {
    const { chunk } = (await inFlight.shift()) as { chunk: string };
    bytes += Buffer.from(chunk, "base64").length;
    if (n + IN_FLIGHT < blocks) inFlight.push(readBlock(n + IN_FLIGHT));
  }
  await client.call("fs/close", { handleId });
  return bytes;
}

async function writeByHand(client: RpcClient, to: string, data: Uint8Array): Promise<void> {
  const handleId = newId();
  await client.call("fs/open", { path: pathToFileURL(to).href, handleId, mode: "replace" });
  const inFlight: Promise<unknown>[] = [];
  for (let offset = 0; offset < data.length; offset += MiB) {
    if (inFlight.length === IN_FLIGHT) await inFlight.shift();
    const chunk = Buffer.from(data.buffer, offset, MiB).toString("base64");
    inFlight.push(client.call("fs/writeBlock", { handleId, offset, chunk }));
  }
  await Promise.all(inFlight);
  await client.call("fs/close", { handleId });
}

function decode(blocks: number): undefined {
  const chunk = Buffer.alloc(MiB, "exec-server ").toString("base64");
  const frame = Buffer.from(JSON.stringify({ id: 1, result: { chunk, eof: false } }));
  let bytes = 0;
  for (let n = 0; n < blocks; n++) {
    bytes += Buffer.from(JSON.parse(frame.toString()).result.chunk, "base64").length;
  }
  return checkLength(bytes, blocks * MiB);
}

function encode(data: Uint8Array): undefined {
  for (let offset = 0; offset < data.length; offset += MiB) {
    const chunk = Buffer.from(data.buffer, offset, MiB).toString("base64");
    Buffer.from(
      JSON.stringify({ id: 1, method: "fs/writeBlock", params: { handleId: "id-1", offset, chunk } }),
    );
  }
}
