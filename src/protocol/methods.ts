import type { Schema } from "./encoded-bytes.ts";
import {
  type DiscoverCapabilitiesParams,
  type DiscoverRootsParams,
  environmentSchemas,
  type InitializeParams,
  type ReadConfigParams,
} from "./environment.ts";
import { type FileSystemParams, fileSystemSchemas } from "./filesystem.ts";
import { type HttpRequestParams, httpSchemas } from "./http.ts";
import {
  type ProcessReadParams,
  type ProcessSignalParams,
  type ProcessStartParams,
  type ProcessTerminateParams,
  type ProcessWriteParams,
  processSchemas,
} from "./process.ts";

interface Method<Params, Result> {
  readonly result: Schema<Result>;
  /** Types only; never present. */
  readonly params?: Params;
  /** Types only; never present. */
  readonly output?: Result;
}

const method = <Params>() => {
  return <Result>(result: Schema<Result>): Method<Params, Result> => ({ result });
};

/** The requests of the protocol that this version knows, by name. */
export type MethodName =
  | "initialize"
  | "environment/info"
  | "environment/status"
  | "capabilities/discoverV2"
  | "capabilityRoots/discoverV1"
  | "environmentConfig/read"
  | "process/start"
  | "process/read"
  | "process/write"
  | "process/signal"
  | "process/terminate"
  | "fs/readFile"
  | "fs/writeFile"
  | "fs/createDirectory"
  | "fs/getMetadata"
  | "fs/canonicalize"
  | "fs/readDirectory"
  | "fs/walk"
  | "fs/remove"
  | "fs/copy"
  | "fs/open"
  | "fs/readBlock"
  | "fs/writeBlock"
  | "fs/close"
  | "fs/watchMissing"
  | "http/request";

/** Every request of the protocol: its params, and the schema its result must match. */
export const methods = /* @__PURE__ */ (() =>
  ({
    initialize: method<InitializeParams>()(environmentSchemas.initializeResult),
    "environment/info": method<null>()(environmentSchemas.info),
    "environment/status": method<null>()(environmentSchemas.status),
    "capabilities/discoverV2": method<DiscoverCapabilitiesParams>()(
      environmentSchemas.discoverCapabilitiesResult,
    ),
    "capabilityRoots/discoverV1": method<DiscoverRootsParams>()(environmentSchemas.discoverRootsResult),
    "environmentConfig/read": method<ReadConfigParams>()(environmentSchemas.readConfigResult),
    "process/start": method<ProcessStartParams>()(processSchemas.startResult),
    "process/read": method<ProcessReadParams>()(processSchemas.readResult),
    "process/write": method<ProcessWriteParams>()(processSchemas.writeResult),
    "process/signal": method<ProcessSignalParams>()(processSchemas.signalResult),
    "process/terminate": method<ProcessTerminateParams>()(processSchemas.terminateResult),
    "fs/readFile": method<FileSystemParams["fs/readFile"]>()(fileSystemSchemas.readFileResult),
    "fs/writeFile": method<FileSystemParams["fs/writeFile"]>()(fileSystemSchemas.empty),
    "fs/createDirectory": method<FileSystemParams["fs/createDirectory"]>()(fileSystemSchemas.empty),
    "fs/getMetadata": method<FileSystemParams["fs/getMetadata"]>()(fileSystemSchemas.metadata),
    "fs/canonicalize": method<FileSystemParams["fs/canonicalize"]>()(fileSystemSchemas.canonicalizeResult),
    "fs/readDirectory": method<FileSystemParams["fs/readDirectory"]>()(fileSystemSchemas.readDirectoryResult),
    "fs/walk": method<FileSystemParams["fs/walk"]>()(fileSystemSchemas.walkResult),
    "fs/remove": method<FileSystemParams["fs/remove"]>()(fileSystemSchemas.empty),
    "fs/copy": method<FileSystemParams["fs/copy"]>()(fileSystemSchemas.empty),
    "fs/open": method<FileSystemParams["fs/open"]>()(fileSystemSchemas.openResult),
    "fs/readBlock": method<FileSystemParams["fs/readBlock"]>()(fileSystemSchemas.readBlockResult),
    "fs/writeBlock": method<FileSystemParams["fs/writeBlock"]>()(fileSystemSchemas.empty),
    "fs/close": method<FileSystemParams["fs/close"]>()(fileSystemSchemas.empty),
    "fs/watchMissing": method<FileSystemParams["fs/watchMissing"]>()(fileSystemSchemas.watchMissingResult),
    "http/request": method<HttpRequestParams>()(httpSchemas.requestResult),
  }) satisfies Record<MethodName, unknown>)();

/** The name of a method without types in this version. */
export type UnknownMethod<M extends string> = M extends MethodName ? never : M;
/** The params of a request, such as `ParamsOf<"fs/walk">`, as on the wire: paths are `file:` URIs, bytes are base64. */
export type ParamsOf<M extends MethodName> = Exclude<(typeof methods)[M]["params"], undefined>;
/** The result of a request, such as `ResultOf<"fs/walk">`, as on the wire; unknown members are kept. */
export type ResultOf<M extends MethodName> = Exclude<(typeof methods)[M]["output"], undefined>;
