/**
 * The part of the SDK that needs no Node API: for browsers, workers, Electron, Node, Bun and Deno.
 *
 * In the examples, `client` is a {@link LazyExecServerClient}.
 * @module exec-server-sdk
 */
export { ExecServerClient } from "./client/client.ts";
export type { ClientState, StateChange, TimelineEntry, TimelineError } from "./client/connection-status.ts";
export type {
  EnvironmentInfo,
  EnvironmentShell,
  EnvironmentStatus,
  ExecEnvironment,
  RequestOptions,
} from "./client/environment.ts";
export { LazyExecServerClient } from "./client/lazy-client.ts";
export type { ClientOptions, ConnectOptions, GetOptions, LazyClientOptions } from "./client/options.ts";
export type {
  NetworkPolicyDecision,
  NetworkPolicyDenial,
  NetworkPolicyHandler,
  NetworkPolicyRequest,
} from "./client/server-requests.ts";
export type { PendingWork, SessionEnding } from "./client/session.ts";
export {
  ClosedError,
  ConnectError,
  type ConnectErrorDetails,
  type ConnectPhase,
  DisconnectedError,
  type DisconnectedErrorDetails,
  ProtocolError,
  TimeoutError,
  type TimeoutErrorCode,
} from "./errors/connection.ts";
export {
  type Delivery,
  type ErrorCode,
  type ErrorDetails,
  ExecServerError,
  type UsageErrorCode,
} from "./errors/error.ts";
export { ProcessExitError, type RunResult } from "./errors/process.ts";
export { ServerError, type ServerErrorDetails, type ServerErrorKind } from "./errors/server.ts";
export { OverflowError, UsageError, type UsageErrorDetails } from "./errors/usage.ts";
export type { RemoteDirent, RemoteStats, WalkEntry, WalkError, WalkResult } from "./filesystem/entries.ts";
export type {
  AppendFileOptions,
  CopyOptions,
  FileEncoding,
  FileOptions,
  LinkType,
  ReaddirNamesOptions,
  ReaddirOptions,
  ReaddirTypesOptions,
  ReadFileBytesOptions,
  ReadFileOptions,
  ReadFileTextOptions,
  ReadStreamOptions,
  RealpathOptions,
  RecursiveOptions,
  RmOptions,
  SymlinkOptions,
  TransferOptions,
  TransferProgress,
  WalkOptions,
  WatchOptions,
  WriteFileOptions,
  WriteStreamOptions,
} from "./filesystem/options.ts";
export type { RemoteFileSystem } from "./filesystem/remote-filesystem.ts";
export type { RemoteFetch } from "./http/fetch.ts";
export type { RemoteRequestInit } from "./http/request.ts";
export type { RemoteResponse } from "./http/response.ts";
export type { Awaitable } from "./internal/awaitable.ts";
export type { OverflowPolicy } from "./internal/byte-queue.ts";
export type { FileBytes, FilePieces } from "./internal/contents.ts";
export type { OutputChunk } from "./process/events.ts";
export type { NetworkOptions } from "./process/network.ts";
export type { StartOptions } from "./process/options.ts";
export { ExecProcess } from "./process/process.ts";
export type { RunBytesOptions, RunOptions, RunTextOptions } from "./process/run.ts";
export type { ProcessExit, TerminateResult } from "./process/state.ts";
export type { TerminalSize } from "./process/tty.ts";
export type { ServerFeature } from "./protocol/features.ts";
export type { MethodName, ParamsOf, ResultOf, UnknownMethod } from "./protocol/methods.ts";
export type { EnvPolicy, NetworkDecision, OutputStreamName } from "./protocol/process.ts";
export { remotePath } from "./protocol/remote-path.ts";
export type {
  SandboxContext,
  SandboxDirectory,
  SandboxDisabled,
  SandboxEntry,
  SandboxExternal,
  SandboxGlob,
  SandboxManaged,
  SandboxPath,
  SandboxPermissions,
  SandboxPlace,
  SandboxPlaceValue,
  SandboxRestrictedFiles,
  SandboxSpecial,
  SandboxUnrestrictedFiles,
} from "./protocol/sandbox.ts";
export type { KeepAliveOptions } from "./rpc/keep-alive.ts";
export type { TraceContext } from "./rpc/request-frame.ts";
export type { TcpTarget } from "./tcp/options.ts";
export type { RemoteSocket } from "./tcp/socket.ts";
export { type Bridge, type BridgeEnd, bridge } from "./transport/message-port/bridge.ts";
export { messagePort, type PortTarget } from "./transport/message-port/message-port.ts";
export type {
  EmitterPort,
  EventTargetPort,
  PortEvent,
  PortLike,
  PortOptions,
} from "./transport/message-port/port.ts";
export type {
  ConnectContext,
  Connection,
  ConnectionEnd,
  ConnectionReceiver,
  FlowControl,
  TargetContext,
  Transport,
} from "./transport/transport.ts";
export type { WebSocketAddress, WebSocketTarget } from "./transport/websocket/address.ts";
export { webSocket } from "./transport/websocket/isomorphic.ts";
export type { WebSocketLike } from "./transport/websocket/socket.ts";
export type {
  RuntimeWebSocketOptions,
  WebSocketConstructor,
  WebSocketOptions,
} from "./transport/websocket/websocket.ts";
