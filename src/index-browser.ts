/**
 * The root entry under the conditions of browsers, workers and React Native: the same exports without a fallback for the
 * WebSocket. The package with the fallback has no CommonJS under these conditions, and throws while it is loaded in a
 * runtime without a WebSocket.
 */
export { ExecServerClient } from "./client/client.ts";
export { LazyExecServerClient } from "./client/lazy-client.ts";
export {
  ClosedError,
  ConnectError,
  DisconnectedError,
  ProtocolError,
  TimeoutError,
} from "./errors/connection.ts";
export { ExecServerError } from "./errors/error.ts";
export { ProcessExitError } from "./errors/process.ts";
export { ServerError } from "./errors/server.ts";
export { OverflowError, UsageError } from "./errors/usage.ts";
export { ExecProcess } from "./process/process.ts";
export { remotePath } from "./protocol/remote-path.ts";
export { bridge } from "./transport/message-port/bridge.ts";
export { messagePort } from "./transport/message-port/message-port.ts";
export { webSocket } from "./transport/websocket/websocket.ts";
