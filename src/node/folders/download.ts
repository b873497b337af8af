import { resolve } from "node:path";
import { UsageError } from "../../errors/usage.ts";
import { isAbortReason } from "../../internal/abort.ts";
import { iterate } from "../../internal/byte-stream.ts";
import { toPathUri } from "../../protocol/path-uri.ts";
import { joinPaths } from "../../protocol/remote-path.ts";
import { ArchivedFiles, encodedName } from "./hard-links.ts";
import { innerName, LocalTarget } from "./local-target.ts";
import { type FolderClient, type FolderOptions, type FolderResult, inTransfer, Transfer } from "./options.ts";
import type { TarEntry } from "./tar-header.ts";
import { readTar } from "./tar-reader.ts";

/**
 * Copies a directory of the server's machine to a local folder: files, directories and links, with modes and times (to the
 * second). The local folder is made if it is missing; what it has and the directory has not stays. Nothing is written
 * outside of it: a name that leads out of it rejects with a ProtocolError, and a link in the way is replaced. Links keep
 * their targets, also those outside. Sockets, pipes and devices are left out.
 *
 * @param client A client of either kind.
 * @param remoteDir An absolute path of the server's machine, or a `file:` URL.
 * @param localDir A path of this machine. Not empty.
 * @throws UsageError `ERR_INVALID_ARGUMENT` for an invalid argument or option. Errors of the local file system are those of
 * Node.
 * @throws what `client.fs.packDirectory()` throws.
 * @example
 * import { downloadDirectory } from "exec-server-sdk/node";
 *
 * const { files, exact } = await downloadDirectory(client, "/src", "downloaded", {
 *   onProgress: ({ path, bytes }) => console.log(path, bytes),
 * });
 */
export async function downloadDirectory(
  client: FolderClient,
  remoteDir: string | URL,
  localDir: string,
  options: FolderOptions = {},
): Promise<FolderResult> {
  return await inTransfer("downloadDirectory", { client, localDir, remoteDir, options }, async () => {
    const transfer = new Transfer(options);
    const { signal } = transfer;
    const target = new LocalTarget(resolve(localDir));
    try {
      const exact = await unpackInto(target, client, remoteDir, transfer);
      if (!exact) await copyInto(target, client, remoteDir, "", transfer);
      await target.close();
      return transfer.result(exact);
    } catch (error) {
      await target.stop();
      throw isAbortReason(error, signal) ? signal?.reason : error;
    }
  });
}

/** Returns false if the server can't pack. */
async function unpackInto(
  target: LocalTarget,
  { fs }: FolderClient,
  remoteDir: string | URL,
  transfer: Transfer,
): Promise<boolean> {
  const { signal } = transfer;
  const excluded = new Set<string>();
  const files = new ArchivedFiles();
  let hasBegun = false;
  try {
    for await (const item of readTar(iterate(fs.packDirectory(remoteDir, { signal })))) {
      hasBegun = true;
      const entry = files.seen({ ...item, name: innerName(item.name) });
      const { name, type } = entry;
      // The directory itself keeps the mode that it has here.
      if (name === "" || type === "other" || isBelow(name, excluded)) continue;
      if (!(await transfer.includes(entry))) {
        if (type === "directory") excluded.add(name);
        continue;
      }
      const isAlone = files.isAlone(entry);
      await target.add(
        isAlone ? { ...entry, type: "file" } : entry,
        isAlone ? () => dataOf(name) : item.data,
      );
      if (type !== "file" && type !== "link") continue;
      files.brought(entry);
      transfer.count(name, entry.size);
    }
    return true;
  } catch (error) {
    const isUnsupported = error instanceof UsageError && error.code === "ERR_UNSUPPORTED" && !hasBegun;
    if (isUnsupported && !isAbortReason(error, signal)) return false;
    throw error;
  }

  /** The data of a hard link whose file is excluded. */
  async function* dataOf(name: string): AsyncGenerator<Buffer, void> {
    const path = `${toPathUri(remoteDir, "remoteDir").replace(/\/$/, "")}/${encodedName(name)}`;
    yield* buffersOf(iterate(fs.createReadStream(path, { signal })));
  }
}

function isBelow(name: string, directories: ReadonlySet<string>): boolean {
  if (directories.size === 0) return false;
  for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) {
    if (directories.has(name.slice(0, at))) return true;
  }
  return false;
}

/** Copies file by file, without links. */
async function copyInto(
  target: LocalTarget,
  client: FolderClient,
  directory: string | URL,
  prefix: string,
  transfer: Transfer,
): Promise<void> {
  const { fs } = client;
  const { signal } = transfer;
  for (const dirent of await fs.readdir(directory, { withFileTypes: true, signal })) {
    const path = joinPaths(directory, dirent.name);
    const name = innerName(prefix + Buffer.from(dirent.name).toString("latin1"));
    const isDirectory = dirent.isDirectory();
    if (!isDirectory && !dirent.isFile()) continue;
    const { size, mtimeMs } = await fs.stat(path, { signal });
    const mtime = mtimeMs / 1000;
    const entry: TarEntry = isDirectory
      ? { type: "directory", name, size: 0, mode: 0o755, mtime, target: "" }
      : { type: "file", name, size, mode: 0o644, mtime, target: "" };
    if (!(await transfer.includes(entry))) continue;
    if (isDirectory) {
      await target.add(entry, async function* () {});
      await copyInto(target, client, path, `${name}/`, transfer);
      continue;
    }
    await target.add(entry, () => buffersOf(iterate(fs.createReadStream(path, { signal }))));
    transfer.count(name, size);
  }
}

async function* buffersOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  for await (const { buffer, byteOffset, byteLength } of chunks)
    yield Buffer.from(buffer, byteOffset, byteLength);
}
