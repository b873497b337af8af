import { constants, type Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { invalid } from "../../internal/arguments.ts";
import { ahead } from "./ahead.ts";
import { closeFile, openFile, readInto } from "./io.ts";
import { type Transfer, textOf } from "./options.ts";
import type { TarEntry } from "./tar-header.ts";
import type { TarSource } from "./tar-writer.ts";

/** Files and directories that are looked at ahead. */
const AHEAD = 16;

/** The largest file that is read ahead of its turn. */
const MAX_AHEAD = 256 * 1024;

/** Bytes that one read of a larger file takes. */
const READ_SIZE = 1024 * 1024;

const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

/** The path of a name within a folder, as bytes. */
export function localPath(root: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, "latin1")]);
}

/**
 * What a local folder contains, a directory before its entries. What vanishes meanwhile is left out. Special files are, too.
 */
export async function* localEntries(root: string, transfer: Transfer): AsyncGenerator<TarSource, void> {
  for await (const entry of ahead(entriesBelow(root, "", transfer), AHEAD, (found) =>
    prepared(root, found),
  )) {
    transfer.signal?.throwIfAborted();
    if (entry) yield entry;
  }
}

type Found = Omit<TarEntry, "target">;

async function* entriesBelow(root: string, prefix: string, transfer: Transfer): AsyncGenerator<Found, void> {
  const names = await unlessGone(readdir(localPath(root, prefix), { encoding: "buffer" }));
  const sorted = (names ?? []).map((name) => prefix + name.toString("latin1")).sort();
  const statsOf = async (name: string) => ({ name, stats: await unlessGone(lstat(localPath(root, name))) });
  for await (const { name, stats } of ahead(sorted, AHEAD, statsOf)) {
    transfer.signal?.throwIfAborted();
    const type = stats && typeOf(stats);
    if (!stats || !type) continue;
    const { mode, mtimeMs, size } = stats;
    const entry = { type, name, size: type === "file" ? size : 0, mode: mode & 0o777, mtime: mtimeMs / 1000 };
    if (!(await transfer.includes(entry))) continue;
    yield entry;
    if (type === "directory") yield* entriesBelow(root, `${name}/`, transfer);
  }
}

function typeOf(stats: Stats): "file" | "directory" | "symlink" | undefined {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : undefined;
}

async function prepared(root: string, found: Found): Promise<TarSource | undefined> {
  const path = localPath(root, found.name);
  if (found.type === "directory") return { ...found, target: "", data: () => [] };
  if (found.type === "symlink") {
    const target = await unlessGone(readlink(path, { encoding: "buffer" }));
    return target && { ...found, target: target.toString("latin1"), data: () => [] };
  }
  if (found.size > MAX_AHEAD) return { ...found, target: "", data: () => largeData(path, found) };
  const bytes = await unlessGone(readSmall(path, found.size));
  return bytes && { ...found, target: "", size: bytes.length, data: () => [bytes] };
}

/** The whole file, whatever its size is by now; at most the size that it had. */
async function readSmall(path: Buffer, size: number): Promise<Buffer> {
  const file = await openFile(path, READ_FLAGS);
  try {
    const bytes = Buffer.allocUnsafe(size);
    return bytes.subarray(0, await readInto(file, bytes));
  } finally {
    await closeFile(file);
  }
}

/** Exactly the size that was found. */
async function* largeData(path: Buffer, { name, size }: Found): AsyncGenerator<Buffer, void> {
  const file = await openFile(path, READ_FLAGS);
  try {
    for (let left = size; left > 0; ) {
      const bytes = Buffer.allocUnsafeSlow(Math.min(left, READ_SIZE));
      if ((await readInto(file, bytes)) < bytes.length)
        invalid(`localDir must not lose data meanwhile: '${textOf(name)}' became shorter while it was read`);
      left -= bytes.length;
      yield bytes;
    }
  } finally {
    await closeFile(file);
  }
}

/** Undefined for what has vanished, or has become something else, since it was found. */
async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (/^(ENOENT|ENOTDIR|ELOOP|EINVAL)$/.test((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
