/**
 * @jest-environment jsdom
 * @jest-environment-options {"customExportConditions": ["node", "node-addons"]}
 */
const { LazyExecServerClient } = require("exec-server-sdk");
const { webSocket } = require("exec-server-sdk/node");
const { useForeignValues } = require("./foreign.cjs");
const { expected, url } = require("./parameters.cjs");

test("uses a real server with values of jsdom", async () => {
  const { fetched, ...rest } = expected;
  const client = new LazyExecServerClient({ transport: webSocket(url) });
  expect(await useForeignValues(client, window)).toEqual(rest);
  await client.close();
});
