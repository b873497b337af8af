import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { UsageError } from "../../errors/usage.ts";
import { isAbortReason } from "../../internal/abort.ts";
import { invalid } from "../../internal/arguments.ts";
import { inOperation } from "../../internal/operation.ts";
import { aString, checkArgument, checkOptions } from "../../internal/option-rules.ts";
import { joinPaths } from "../../protocol/remote-path.ts";
import { Pool } from "./ahead.ts";
import { localEntries } from "./local-source.ts";
import {
  FOLDER_RULES,
  type FolderClient,
  type FolderOptions,
  type FolderResult,
  Transfer,
  textOf,
} from "./options.ts";
import { type TarSource, writeTar } from "./tar-writer.ts";

/** Files that are written at once where the server has no tar. */
const CONCURRENCY = 8;

/**
 * Copies a local folder to the server's machine: files, folders and links, with modes and times (to the second). The remote
 * directory is made if it is missing; what it has and the folder has not stays. A hard link becomes a file of its own;
 * sockets, pipes and devices are left out. What vanishes meanwhile is left out, too; a file that is being written arrives
 * as it was read.
 *
 * @param client A client of either kind.
 * @param localDir A path of this machine.
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
  return await inOperation({ operation: "uploadDirectory" }, options?.signal, async () => {
    checkOptions("uploadDirectory()", options, FOLDER_RULES);
    checkArgument("localDir", localDir, aString);
    const root = resolve(localDir);
    if (!(await stat(root)).isDirectory()) return invalid("localDir must be a directory, got another file");
    const { signal } = options;
    const transfer = new Transfer(options);
    try {
      await client.fs.unpackDirectory(remoteDir, writeTar(entriesOf(root, transfer)), { signal });
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

/** Directories come last, the inner ones first: they may not be writable, and writing to them changes their times. */
async function* entriesOf(root: string, transfer: Transfer): AsyncGenerator<TarSource, void> {
  const directories: TarSource[] = [];
  for await (const entry of localEntries(root, transfer)) {
    if (entry.type === "directory") {
      directories.push({ ...entry, name: `./${entry.name}/` });
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
  await fs.mkdir(remoteDir, { recursive: true, signal });
  try {
    for await (const entry of localEntries(root, transfer)) {
      const path = joinPaths(remoteDir, ...textOf(entry.name).split("/"));
      if (entry.type === "directory") await fs.mkdir(path, { recursive: true, signal });
      if (entry.type !== "file") continue;
      await pool.add(async () => {
        await fs.writeFile(path, Readable.from(entry.data()), { signal });
        transfer.count(entry.name, entry.size);
      });
    }
  } finally {
    await pool.idle();
  }
}
