/** @jest-environment jest-fixed-jsdom */
const { LazyExecServerClient, webSocket } = require("exec-server-sdk");
const { useForeignValues } = require("./foreign.cjs");
const { expected, gateway, origin, protocols } = require("./parameters.cjs");

test("uses a real server and fetches, with Node's fetch classes beside jsdom", async () => {
  const client = new LazyExecServerClient({ transport: webSocket(gateway, { protocols }) });
  expect(await useForeignValues(client, window, origin)).toEqual(expected);
  await client.close();
});
