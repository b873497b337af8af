/** An HTTP server. The first argument is the length of every response in MiB. Prints its URL; exits when its input ends. */
import { once } from "node:events";
import { createServer } from "node:http";

const blocks = Number(process.argv[2]);
const block = Buffer.alloc(1024 * 1024, "x");
const origin = createServer(async (_, response) => {
  for (let n = 0; n < blocks; n++) if (!response.write(block)) await once(response, "drain");
  response.end();
});
origin.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${origin.address().port}/`));
process.stdin.resume().once("end", () => process.exit());
