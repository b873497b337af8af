import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { ServerError, type ServerErrorKind } from "../../errors/server.ts";
import { UsageError } from "../../errors/usage.ts";
import type { RemoteFileSystem } from "../../filesystem/remote-filesystem.ts";
import { isAbortReason } from "../../internal/abort.ts";
import { invalid } from "../../internal/arguments.ts";
import { joinPaths } from "../../protocol/remote-path.ts";
import { Pool } from "./ahead.ts";
import { localEntries } from "./local-source.ts";
import { parentOf } from "./local-target.ts";
import {
  type FolderClient,
  type FolderOptions,
  type FolderResult,
  inTransfer,
  Transfer,
  textOf,
} from "./options.ts";
import { type TarSource, writeTar } from "./tar-writer.ts";

/** Files that are written at once where the server has no tar. */
const CONCURRENCY = 8;

/**
 * Copies a local folder to the server's machine: files, folders and links, with modes and times (to the second). The remote
 * directory is made if it is missing; what it has and the folder has not stays. A link in the way is replaced, and so is a
 * file where a directory is to be. A hard link becomes a file of its own; sockets, pipes and devices are left out. What
 * vanishes meanwhile is left out, too; a file that is being written arrives as it was read.
 *
 * @param client A client of either kind.
 * @param localDir A path of this machine. Not empty.
 * @param remoteDir An absolute path of the server's machine, or a `file:` URL.
 * @throws UsageError `ERR_INVALID_ARGUMENT` for an invalid argument or option, or for a large file that becomes shorter
 * while it is read. Errors of the local file system are those of Node.
 * @throws what `client.fs.unpackDirectory()` throws.
 * @example
 * import { uploadDirectory } from "exec-server-sdk/node";
 *
 * const { files, bytes } = await uploadDirectory(client, "project", "/work/project", {
 *   filter: (path) => path !== "node_modules" && path !== ".git",
 * });
 */
export async function uploadDirectory(
  client: FolderClient,
  localDir: string,
  remoteDir: string | URL,
  options: FolderOptions = {},
): Promise<FolderResult> {
  return await inTransfer("uploadDirectory", { client, localDir, remoteDir, options }, async () => {
    const root = resolve(localDir);
    if (!(await stat(root)).isDirectory()) return invalid("localDir must be a directory, got another file");
    const { signal } = options;
    const transfer = new Transfer(options);
    try {
      await client.fs.unpackDirectory(remoteDir, uploadArchive(root, transfer), { signal });
      return transfer.result(true);
    } catch (error) {
      const isUnsupported = error instanceof UsageError && error.code === "ERR_UNSUPPORTED";
      if (!isUnsupported || isAbortReason(error, signal)) throw error;
    }
    // It is refused before anything has been read.
    await uploadOneByOne(client, root, remoteDir, transfer);
    return transfer.result(false);
  });
}

/** The folder as an archive. */
export function uploadArchive(root: string, transfer: Transfer): AsyncIterable<Uint8Array> {
  return writeTar(entriesOf(root, transfer));
}

/**
 * A directory comes before its entries, so that it replaces a link in its place, and with all permissions for its owner. All
 * come once more at the end, the inner ones first: they may not be writable, and writing to them changes their times.
 */
async function* entriesOf(root: string, transfer: Transfer): AsyncGenerator<TarSource, void> {
  const directories: TarSource[] = [];
  for await (const entry of localEntries(root, transfer)) {
    if (entry.type === "directory") {
      const directory = { ...entry, name: `./${entry.name}/` };
      directories.push(directory);
      yield { ...directory, mode: entry.mode | 0o700 };
      continue;
    }
    yield { ...entry, name: `./${entry.name}` };
    if (entry.type === "file") transfer.count(entry.name, entry.size);
  }
  yield* directories.reverse();
}

async function uploadOneByOne(
  { fs }: FolderClient,
  root: string,
  remoteDir: string | URL,
  transfer: Transfer,
): Promise<void> {
  const { signal } = transfer;
  const pool = new Pool(CONCURRENCY);
  /** Directories that were made here, so that nothing is in the way of their entries. */
  const made = new Set<string>();
  await fs.mkdir(remoteDir, { recursive: true, signal });
  try {
    for await (const { name, type, size, data } of localEntries(root, transfer)) {
      const path = joinPaths(remoteDir, ...textOf(name).split("/"));
      if (type === "directory" && (await makeDirectory(fs, path, signal))) made.add(name);
      if (type !== "file") continue;
      const isFree = made.has(parentOf(name));
      await pool.add(async () => {
        // A link would be written through.
        if (!isFree) await fs.rm(path, { force: true, signal });
        await fs.writeFile(path, Readable.from(data()), { signal });
        transfer.count(name, size);
      });
    }
  } finally {
    await pool.idle();
  }
}

/** Makes a directory, also in the place of a link or a file. Returns false if there is one. */
async function makeDirectory(
  fs: RemoteFileSystem,
  path: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await fs.mkdir(path, { signal });
    return true;
  } catch (error) {
    if (!isOfKind(error, "already-exists") || isAbortReason(error, signal)) throw error;
  }
  const isThere = await fs.stat(path, { signal }).then(
    (found) => found.isDirectory() && !found.isSymbolicLink(),
    (error: unknown) => {
      // A link without a target.
      if (isOfKind(error, "not-found") && !isAbortReason(error, signal)) return false;
      throw error;
    },
  );
  if (isThere) return false;
  await fs.rm(path, { force: true, signal });
  await fs.mkdir(path, { signal });
  return true;
}

const isOfKind = (error: unknown, kind: ServerErrorKind): boolean =>
  error instanceof ServerError && error.kind === kind;
