import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { HandWrittenClient } from "../hand-written.ts";
import type { Case } from "./case.ts";

const MiB = 1024 * 1024;
const BLOCKS = 256;
const IN_FLIGHT = 4;
/** What one answer can hold; `fs/readFile` sends it whole. */
const WHOLE_BLOCKS = 70;

const path = join(tmpdir(), `exec-server-bench-${process.pid}`);
const target = `${path}-copy`;
process.once("exit", () => {
  void rm(path, { force: true });
});

/** Makes the file that is read; its bytes are different everywhere. */
async function makeFile(blocks: number): Promise<string> {
  const file = createWriteStream(path);
  const block = Buffer.alloc(MiB, "exec-server ");
  for (let n = 0; n < blocks; n++) {
    block.writeUInt32LE(n, 0);
    if (!file.write(block)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  return path;
}

export const readFileInBlocks: Case = {
  name: "read 256 MiB",
  other: "hand-written",
  pairs: 7,
  goal: 0.95,
  work: { amount: BLOCKS, unit: "MiB/s" },
  rounds: async ({ sdk, handWritten }) => {
    await makeFile(BLOCKS);
    return {
      sdk: async () => {
        let bytes = 0;
        for await (const block of sdk.fs.createReadStream(path)) bytes += block.length;
        return whole(bytes, BLOCKS);
      },
      other: async () => whole(await readByHand(handWritten, path, BLOCKS), BLOCKS),
    };
  },
};

export const writeFileInBlocks: Case = {
  name: "write 256 MiB",
  other: "hand-written",
  pairs: 7,
  goal: 0.95,
  work: { amount: BLOCKS, unit: "MiB/s" },
  rounds: async ({ sdk, handWritten }) => {
    const data = new Uint8Array(BLOCKS * MiB).fill(120);
    return {
      sdk: async () => {
        await sdk.fs.writeFile(target, data);
        return undefined;
      },
      other: async () => {
        await writeByHand(handWritten, target, data);
        await sdk.fs.rm(target);
        return undefined;
      },
    };
  },
};

export const readFileWhole: Case = {
  name: "read 70 MiB, beside fs/readFile",
  other: "fs/readFile",
  pairs: 5,
  goal: 4,
  work: { amount: WHOLE_BLOCKS, unit: "MiB/s" },
  rounds: async ({ sdk, handWritten }) => {
    await makeFile(WHOLE_BLOCKS);
    const uri = pathToFileURL(path).href;
    return {
      sdk: async () => whole((await sdk.fs.readFile(path)).length, WHOLE_BLOCKS),
      other: async () => {
        const { dataBase64 } = (await handWritten.call("fs/readFile", { path: uri })) as {
          dataBase64: string;
        };
        return whole(Buffer.from(dataBase64, "base64").length, WHOLE_BLOCKS);
      },
    };
  },
};

async function readByHand(client: HandWrittenClient, from: string, blocks: number): Promise<number> {
  const handleId = client.newId();
  await client.call("fs/open", { path: pathToFileURL(from).href, handleId, mode: "read" });
  const ask = (n: number) => client.call("fs/readBlock", { handleId, offset: n * MiB, len: MiB });
  const ahead = Array.from({ length: IN_FLIGHT }, (_, n) => ask(n));
  let bytes = 0;
  for (let n = 0; n < blocks; n++) {
    const { chunk } = (await ahead.shift()) as { chunk: string };
    bytes += Buffer.from(chunk, "base64").length;
    if (n + IN_FLIGHT < blocks) ahead.push(ask(n + IN_FLIGHT));
  }
  await client.call("fs/close", { handleId });
  return bytes;
}

async function writeByHand(client: HandWrittenClient, to: string, data: Uint8Array): Promise<void> {
  const handleId = client.newId();
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

function whole(bytes: number, blocks: number): undefined {
  if (bytes !== blocks * MiB) throw new Error(`${bytes} bytes came, not ${blocks * MiB}`);
  return undefined;
}
