// @vitest-environment jsdom
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { webSocket as nodeWebSocket } from "exec-server-sdk/node";
import { expect, test } from "vitest";
import { useForeignValues } from "./foreign.cjs";
import parameters from "./parameters.cjs";

const { expected, gateway, origin, protocols, url } = parameters;

test("uses a real server through a gateway, with values of jsdom", async () => {
  const transport = webSocket(gateway, { protocols, WebSocket: window.WebSocket });
  const client = new LazyExecServerClient({ transport });
  expect(await useForeignValues(client, window, origin)).toEqual(expected);
  await client.close();
});

test("uses a real server over ws, with values of jsdom", async () => {
  const client = new LazyExecServerClient({ transport: nodeWebSocket(url) });
  expect(await useForeignValues(client, window, origin)).toEqual(expected);
  await client.close();
});
