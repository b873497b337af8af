/**
 * A scripted exec-server in memory, for tests of programs that use the SDK. It needs neither a network nor Node;
 * `exec-server-sdk/testing/node` serves it over a real WebSocket or stdio.
 *
 * In the examples, `server` is a {@link TestServer}, and `app` a client of the transport `server.transport`.
 * @module exec-server-sdk/testing
 */
export type { RpcErrorObject } from "./protocol/json-rpc.ts";
export type {
  ChannelReceiver,
  DialRefusal,
  ServerChannel,
  TestDial,
  TestServerDoor,
} from "./testing/channel.ts";
export type { CommandMatch, CommandOutcome, CommandScript } from "./testing/commands.ts";
export type { TestFiles } from "./testing/files.ts";
export type { TestHandler } from "./testing/handlers.ts";
export type { FetchHandler } from "./testing/origins.ts";
export type { ConnectHandler, TestSocket } from "./testing/ports.ts";
export type { TestExitOptions } from "./testing/rules.ts";
export type { TestConnection } from "./testing/test-connection.ts";
export {
  type ReceivedMessage,
  silence,
  type TestMethod,
  type TestRequest,
  type TestResult,
} from "./testing/test-messages.ts";
export type { TestProcess } from "./testing/test-process.ts";
export { TestServer, type TestServerOptions } from "./testing/test-server.ts";
