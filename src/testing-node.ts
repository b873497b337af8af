/**
 * Serves a test server of `exec-server-sdk/testing` over a real WebSocket or stdio, for tests in Node.
 * @module exec-server-sdk/testing/node
 */
export { type ListeningTestServer, type ListenOptions, listen } from "./testing/node/listen.ts";
export { type StdioTestServer, serveStdio } from "./testing/node/serve-stdio.ts";
export type { TestChild } from "./testing/node/stdio-channel.ts";
