/** Everything that needs no Node API: browsers, workers, Electron, Node, Bun and Deno. */
export { ExecServerClient } from "./client/client.ts";
export type { EnvironmentInfo, ExecEnvironment, RequestOptions } from "./client/environment.ts";
export { type ClientState, LazyExecServerClient, type StateChange } from "./client/lazy-client.ts";
export type { ClientOptions } from "./client/options.ts";
export {
  ClosedError,
  ConnectError,
  type ConnectPhase,
  type Delivery,
  DisconnectedError,
  type ErrorCode,
  ExecServerError,
  OverflowError,
  ProcessExitError,
  ProtocolError,
  type RunResult,
  ServerError,
  type ServerErrorKind,
  TimeoutError,
  type TimeoutErrorCode,
  UsageError,
  type UsageErrorCode,
} from "./errors.ts";
export type { StartOptions } from "./process/options.ts";
export type { OutputChunk, OverflowPolicy } from "./process/output-queue.ts";
export { ExecProcess } from "./process/process.ts";
export type { RunOptions } from "./process/run.ts";
export type { ProcessExit } from "./process/state.ts";
export type { TerminalSize } from "./process/tty.ts";
export type { EnvironmentStatus } from "./protocol/environment.ts";
export type { EnvPolicy, OutputStreamName, SandboxContext } from "./protocol/process.ts";
export type { Connection, ConnectionEnd, ConnectionReceiver, Transport } from "./transport/transport.ts";
export { type WebSocketConstructor, type WebSocketOptions, webSocket } from "./transport/websocket.ts";
export type { WebSocketAddress, WebSocketTarget } from "./transport/websocket-target.ts";
