import { ServerError } from "../errors/server.ts";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import type { Bytes } from "../internal/bytes.ts";
import type { MethodName, ParamsOf, ResultOf } from "../protocol/methods.ts";
import { INVALID_REQUEST, NOT_FOUND } from "./error-codes.ts";
import { type Entry, keyOf, type TestFiles } from "./files.ts";
import type { TestHandler } from "./handlers.ts";
import type { TestConnection } from "./test-connection.ts";

type FileMethod = Extract<MethodName, `fs/${string}`>;

/** The open files of one connection, and its pending watch. */
interface ConnectionState {
  readonly open: Map<string, Entry & { bytes: Uint8Array }>;
  watch: { readonly id: number; readonly missing: readonly string[] } | undefined;
}

/** Handlers for the file methods of the protocol, on files in memory. */
export function fileMethods(files: TestFiles): { readonly [M in FileMethod]: TestHandler<M> } {
  const states = new Map<TestConnection, ConnectionState>();
  const stateOf = (connection: TestConnection): ConnectionState => {
    const known = states.get(connection);
    if (known) return known;
    const state: ConnectionState = { open: new Map(), watch: undefined };
    states.set(connection, state);
    void connection.ended.then(() => states.delete(connection));
    return state;
  };
  const opened = (connection: TestConnection, handleId: string) => {
    const file = stateOf(connection).open.get(handleId);
    if (file) return file;
    throw new ServerError(`unknown file handle ${handleId}`, { rpcCode: NOT_FOUND });
  };
  files.changed.add(() => {
    for (const [connection, state] of states) {
      const { watch } = state;
      if (!watch?.missing.some((key) => files.has(key))) continue;
      state.watch = undefined;
      connection.notify("fs/missingChanged", { watchId: watch.id });
    }
  });

  return {
    "fs/readFile": ({ params }) => ({ dataBase64: encodeBase64(files.file(keyOf(params.path)).bytes) }),
    "fs/writeFile": ({ params }) => {
      files.writeFile(keyOf(params.path), bytesOf(params.dataBase64));
      return {};
    },
    "fs/createDirectory": ({ params }) => {
      files.createDirectory(keyOf(params.path), params.recursive ?? true);
      return {};
    },
    "fs/getMetadata": ({ params }) => {
      const { bytes, createdAtMs, modifiedAtMs } = files.entry(keyOf(params.path));
      const is = { isDirectory: bytes === undefined, isFile: bytes !== undefined, isSymlink: false };
      return { ...is, size: bytes?.length ?? 4096, createdAtMs, modifiedAtMs };
    },
    "fs/canonicalize": ({ params }) => {
      files.entry(keyOf(params.path));
      return { path: keyOf(params.path) };
    },
    "fs/readDirectory": ({ params }) => ({
      entries: files.directory(keyOf(params.path)).map(([fileName, , { bytes }]) => ({
        fileName,
        isDirectory: bytes === undefined,
        isFile: bytes !== undefined,
      })),
    }),
    "fs/walk": ({ params }) => walk(files, keyOf(params.path), params.options),
    "fs/remove": ({ params }) => {
      files.removeEntry(keyOf(params.path), params.recursive ?? true, params.force ?? true);
      return {};
    },
    "fs/copy": ({ params }) => {
      files.copy(keyOf(params.sourcePath), keyOf(params.destinationPath), params.recursive);
      return {};
    },
    "fs/open": ({ params: { path, handleId, mode } }, connection) => {
      const key = keyOf(path);
      const file = mode === "replace" ? files.writeFile(key, new Uint8Array()) : files.file(key);
      stateOf(connection).open.set(handleId, file);
      return { handleId };
    },
    "fs/readBlock": ({ params: { handleId, offset, len } }, connection) => {
      const chunk = opened(connection, handleId).bytes.subarray(offset, offset + len);
      return { chunk: encodeBase64(chunk), eof: chunk.length < len };
    },
    "fs/writeBlock": ({ params: { handleId, offset, chunk } }, connection) => {
      const file = opened(connection, handleId);
      const bytes = bytesOf(chunk);
      // A gap before the offset is filled with zeros.
      const all = new Uint8Array(Math.max(file.bytes.length, offset + bytes.length));
      all.set(file.bytes);
      all.set(bytes, offset);
      file.bytes = all;
      file.modifiedAtMs = Date.now();
      return {};
    },
    "fs/close": ({ params: { handleId } }, connection) => {
      stateOf(connection).open.delete(handleId);
      return {};
    },
    "fs/watchMissing": ({ params: { watchId, missing } }, connection) => {
      const keys = missing.map(keyOf);
      const watching = keys.length > 0 && !keys.some((key) => files.has(key));
      stateOf(connection).watch = watching ? { id: watchId, missing: keys } : undefined;
      return { watching };
    },
  };
}

/** Breadth first; entries of one directory are sorted by name. */
function walk(files: TestFiles, root: string, limits: ParamsOf<"fs/walk">["options"]): ResultOf<"fs/walk"> {
  const { maxDepth = 64, maxDirectories = 10_000, maxEntries = 50_000, pruneHiddenDirectories } = limits;
  const entries: ResultOf<"fs/walk">["entries"] = [];
  let level = files.entry(root).bytes === undefined ? [root] : [];
  let entered = 0;
  for (let depth = 0; level.length > 0 && depth <= maxDepth; depth++) {
    const next: string[] = [];
    for (const directory of level) {
      if (entered++ === maxDirectories) return { entries, errors: [], truncated: true };
      for (const [name, path, { bytes }] of files.directory(directory)) {
        if (entries.length === maxEntries) return { entries, errors: [], truncated: true };
        entries.push({ path, kind: bytes === undefined ? "directory" : "file" });
        if (bytes === undefined && !(pruneHiddenDirectories && name.startsWith("."))) next.push(path);
      }
    }
    level = next;
  }
  return { entries, errors: [], truncated: false };
}

function bytesOf(base64: string): Bytes {
  const bytes = decodeBase64(base64);
  if (bytes) return bytes;
  throw new ServerError("the data must be valid base64", { rpcCode: INVALID_REQUEST });
}
