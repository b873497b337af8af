/**
 * Prints the bundle sizes of the built SDK and of its peers, each bundled alone in the same way. Never fails: the tests of
 * the packed package check the budgets.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bundle, sizeOf } from "../support/bundle.ts";
import { MINIFIED_BUDGET, SIZE_BUDGETS } from "../support/size-budgets.ts";
import { installedPeers } from "./peers.ts";
import { print } from "./print.ts";

const others = [
  ["graphql-ws: createClient", 'export { createClient } from "graphql-ws";'],
  ["partysocket: WebSocket", 'export { WebSocket } from "partysocket";'],
  ["viem: getWebSocketRpcClient", 'export { getWebSocketRpcClient } from "viem/utils";'],
  ["rpc-websockets: Client", 'export { Client } from "rpc-websockets";'],
  [
    "vscode-jsonrpc/browser: createMessageConnection",
    'export { createMessageConnection, AbstractMessageReader, AbstractMessageWriter } from "vscode-jsonrpc/browser";',
  ],
  [
    "@modelcontextprotocol/sdk: Client, WebSocketClientTransport",
    `export { Client } from "@modelcontextprotocol/sdk/client/index.js";
     export { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js";`,
  ],
] as const;

const lines = [["", "minified", "gzip", "budget"]];
for (const { name, source, gzipped } of SIZE_BUDGETS) {
  lines.push([`exec-server-sdk: ${name}`, ...(await sizes(source, import.meta.dirname)), kB(gzipped)]);
}
const file = "exec-server-sdk.min.js";
const { minified, gzipped } = sizeOf(readFileSync(join(import.meta.dirname, "../../dist", file)));
lines.push([`exec-server-sdk: ${file}`, kB(minified), kB(gzipped), kB(MINIFIED_BUDGET)]);
const peers = installedPeers();
for (const [name, source] of others) lines.push([name, ...(await sizes(source, peers))]);
print(lines);
console.log("\n1 kB = 1000 bytes; esbuild, minified for ES2022, then gzip -9.");

async function sizes(source: string, directory: string): Promise<string[]> {
  const { minified, gzipped } = await bundle(source, directory);
  return [kB(minified), kB(gzipped)];
}

function kB(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
