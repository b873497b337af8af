import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { HandWrittenClient } from "../hand-written.ts";
import type { Case } from "./case.ts";

const MEBIBYTES = 64;
const BYTES = MEBIBYTES * 1024 * 1024;

export const streamBody: Case = {
  name: "HTTP body of 64 MiB",
  other: "hand-written",
  pairs: 11,
  goal: 0.95,
  work: { amount: MEBIBYTES, unit: "MiB/s" },
  rounds: async ({ sdk, handWritten }) => {
    const block = Buffer.alloc(1024 * 1024, "x");
    const origin = createServer(async (_, response) => {
      for (let n = 0; n < MEBIBYTES; n++) if (!response.write(block)) await once(response, "drain");
      response.end();
    });
    origin.unref().listen(0, "127.0.0.1");
    await once(origin, "listening");
    const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/`;
    return {
      sdk: async () => {
        let bytes = 0;
        const { body } = await sdk.fetch(url);
        if (body) for await (const chunk of body) bytes += chunk.length;
        return complete(bytes);
      },
      other: async () => complete(await fetchByHand(handWritten, url)),
    };
  },
};

/** Resolves with the length of the whole body. */
async function fetchByHand(client: HandWrittenClient, url: string): Promise<number> {
  const requestId = client.newId();
  let bytes = 0;
  const whole = new Promise<void>((onDone) => {
    client.listeners.set(requestId, ({ deltaBase64, done }) => {
      bytes += Buffer.from(deltaBase64, "base64").length;
      if (done) onDone();
    });
  });
  await client.call("http/request", { method: "GET", url, headers: [], requestId, streamResponse: true });
  await whole;
  client.listeners.delete(requestId);
  return bytes;
}

function complete(bytes: number): undefined {
  if (bytes !== BYTES) throw new Error(`${bytes} bytes of ${BYTES} have arrived`);
}
