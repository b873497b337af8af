/**
 * Reads the output of a process in a Node of its own, once for each line on standard input, which names the client.
 * Answers with the wall and processor time in milliseconds. Arguments: the URL of the server, and the number of objects
 * that stay alive on the heap.
 */
import { createInterface } from "node:readline";
import { FLOOD, readByHand, readBySdk } from "./cases/output.ts";
import { Clients } from "./clients.ts";
import { measure } from "./measure.ts";

const [url = "", liveObjects = "0"] = process.argv.slice(2);
const live = Array.from({ length: Number(liveObjects) }, (_, n) => ({ n, name: `object ${n}` }));
await using clients = await Clients.connect(url);
const rounds: Readonly<Record<string, () => Promise<undefined>>> = {
  SDK: () => readBySdk(clients.sdk, FLOOD),
  "hand-written": () => readByHand(clients.handWritten, FLOOD),
};
for await (const name of createInterface(process.stdin)) {
  const sample = await measure(rounds[name] as () => Promise<undefined>);
  console.log(JSON.stringify(sample));
}
// Used here, so that they are alive until now.
if (live.length !== Number(liveObjects)) throw new Error("the live objects have changed");
