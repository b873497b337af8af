/** @jest-environment node */
const { LazyExecServerClient, webSocket } = require("exec-server-sdk");
const { useForeignValues } = require("./foreign.cjs");
const { expected, origin, url } = require("./parameters.cjs");

test("uses a real server and fetches, in Jest's vm context", async () => {
  const client = new LazyExecServerClient({ transport: webSocket(url) });
  expect(await useForeignValues(client, globalThis, origin)).toEqual(expected);
  await client.close();
});
