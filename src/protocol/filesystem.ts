import * as z from "zod/mini";
import { decoded } from "./encoded-bytes.ts";
import { int } from "./int.ts";
import { payloadForm } from "./payload.ts";
import type { SandboxContext } from "./sandbox.ts";

/** Shapes of server 0.169.0. */
export const fileSystemSchemas = /* @__PURE__ */ (() => ({
  empty: z.looseObject({}),
  readFileResult: z.looseObject({ dataBase64: z.string() }),
  metadata: z.looseObject({
    isDirectory: z.boolean(),
    isFile: z.boolean(),
    isSymlink: z.nullish(z.boolean()),
    /** Missing on servers before mid-2026. */
    size: z.nullish(z.number()),
    createdAtMs: z.nullish(z.number()),
    modifiedAtMs: z.nullish(z.number()),
  }),
  canonicalizeResult: z.looseObject({ path: z.string() }),
  readDirectoryResult: z.looseObject({
    entries: z.array(z.looseObject({ fileName: z.string(), isDirectory: z.boolean(), isFile: z.boolean() })),
  }),
  walkResult: z.looseObject({
    entries: z.array(z.looseObject({ path: z.string(), kind: z.enum(["directory", "file"]) })),
    errors: z.array(z.looseObject({ path: z.string(), message: z.string() })),
    truncated: z.boolean(),
  }),
  openResult: z.looseObject({ handleId: z.string() }),
  readBlockResult: z.looseObject({ chunk: z.string(), eof: z.boolean() }),
  watchMissingResult: z.looseObject({ watching: z.boolean() }),
  missingChanged: z.looseObject({ watchId: int() }),
}))();

/** The result of `fs/readBlock`, with its bytes decoded. */
export const blockSchema = /* @__PURE__ */ (() =>
  decoded(z.object({ chunk: z.string(), eof: z.boolean() }), "chunk"))();

/** The response to `fs/readBlock`. */
export const blockForm = /* @__PURE__ */ payloadForm(
  '{"id":INTEGER,"result":{"chunk":"BYTES","eof":(true|false)}}',
  ([, id], chunk, [, eof]) => ({ type: "result", id: Number(id), result: { chunk, eof: eof === "true" } }),
);

export type WireMetadata = z.infer<typeof fileSystemSchemas.metadata>;

export interface PathParams {
  /** As a path URI. */
  path: string;
  sandbox: SandboxContext | null;
}

/** The params of each method. Options that default to true on the wire are always sent. */
export interface FileSystemParams {
  "fs/readFile": PathParams;
  "fs/writeFile": PathParams & { dataBase64: string };
  "fs/createDirectory": PathParams & { recursive: boolean };
  "fs/getMetadata": PathParams;
  "fs/canonicalize": PathParams;
  "fs/readDirectory": PathParams;
  "fs/walk": PathParams & { options: Required<WalkLimits> };
  "fs/remove": PathParams & { recursive: boolean; force: boolean };
  "fs/copy": {
    sourcePath: string;
    destinationPath: string;
    recursive: boolean;
    sandbox: SandboxContext | null;
  };
  "fs/open": PathParams & {
    /** Chosen by the client, at most 32 bytes. */
    handleId: string;
    mode: "read" | "replace";
  };
  "fs/readBlock": { handleId: string; offset: number; len: number };
  "fs/writeBlock": { handleId: string; offset: number; chunk: string };
  "fs/close": { handleId: string };
  "fs/watchMissing": { watchId: number; missing: readonly string[] };
}

/** Limits of a walk; the defaults are the maximum that the server allows. */
export interface WalkLimits {
  /** Levels below the root; 0 lists the entries of the root only. @default 64 */
  readonly maxDepth?: number | undefined;
  /** Number of directories to enter; beyond it the walk is truncated. @default 10_000 */
  readonly maxDirectories?: number | undefined;
  /** Number of entries to visit; beyond it the walk is truncated. @default 50_000 */
  readonly maxEntries?: number | undefined;
  /** Enters directories behind symbolic links, each real directory once. @default false */
  readonly followDirectorySymlinks?: boolean | undefined;
  /** Lists directories whose name starts with a dot without entering them. @default false */
  readonly pruneHiddenDirectories?: boolean | undefined;
}

/** Maximum number of bytes that the server reads or writes per request. */
export const MAX_BLOCK = 1024 * 1024;
/** Maximum number of open handles per connection. */
export const MAX_OPEN_HANDLES = 128;
