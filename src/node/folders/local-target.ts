import { chmod, link, lstat, lutimes, mkdir, rename, rm, symlink, unlink, utimes } from "node:fs/promises";
import { ProtocolError } from "../../errors/connection.ts";
import { randomId } from "../../internal/bytes.ts";
import { Pool } from "./ahead.ts";
import { closeFile, openFile, setMode, setTimes, writeAll } from "./io.ts";
import { localPath } from "./local-source.ts";
import { textOf } from "./options.ts";
import type { TarEntry } from "./tar-header.ts";

/** Files that are written at once. */
const CONCURRENCY = 8;

/** Bytes of one write. A file that has no more is collected, so that others can be written meanwhile. */
const WRITE_SIZE = 1024 * 1024;

/** How often a link to a file is tried that others keep replacing. */
const MAX_LINK_TRIES = 100;

/** The last date, in milliseconds. */
const MAX_DATE = 8.64e15;

/**
 * A local folder that entries of another machine are written to. Nothing is written outside: names that climb out are
 * refused, the directories of a path are real ones, and links are made last, when nothing is written through them any more.
 */
export class LocalTarget {
  readonly #root: string;
  #opened: Promise<unknown> | undefined;
  /** The permissions that this process takes from new files. */
  readonly #umask = process.umask();
  readonly #pool = new Pool(CONCURRENCY);
  /** The directories that are known to be none behind links. */
  readonly #directories = new Map<string, Promise<void>>();
  /** Those that were not there. */
  readonly #made = new Set<string>();
  readonly #files = new Map<string, Promise<void>>();
  readonly #modes = new Map<string, TarEntry>();
  readonly #links = new Map<string, TarEntry>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the folder, with the first entry. */
  async #open(): Promise<void> {
    this.#opened ??= mkdir(this.#root, { recursive: true });
    await this.#opened;
  }

  /** Writes an entry with a name of `innerName`. Resolves when its data has been read. The last one of a name counts. */
  async add(entry: TarEntry, data: () => AsyncIterable<Buffer>): Promise<void> {
    const { name, type } = entry;
    if (type === "symlink" || type === "link") {
      this.#links.set(name, entry);
      return;
    }
    await this.#open();
    this.#links.delete(name);
    await this.#files.get(name);
    if (type !== "directory") {
      await this.#addFile(entry, data);
      return;
    }
    this.#files.delete(name);
    await this.#makeDirectory(name);
    this.#modes.set(name, entry);
    // One that was there becomes as private as it is to be before anything is written to it.
    await chmod(this.#path(name), (entry.mode & 0o777) | 0o700);
  }

  /** Finishes what has been added: links, then modes and times of directories, the inner ones first. */
  async close(): Promise<void> {
    await this.#open();
    await this.#pool.idle();
    const links = [...this.#links.values()];
    for (const { name } of links) await this.#makeParent(name);
    for (const entry of links) if (entry.type === "link") await this.#makeHardLink(entry);
    for (const entry of links) if (entry.type === "symlink") await this.#makeLink(entry);
    for (const name of this.#made) {
      if (!this.#modes.has(name)) await chmod(this.#path(name), 0o777 & ~this.#umask);
    }
    for (const { name, mode, mtime } of [...this.#modes.values()].sort(byDepth)) {
      const path = this.#path(name);
      await chmod(path, mode & 0o777);
      await utimes(path, dateOf(mtime), dateOf(mtime));
    }
  }

  /** Settles when nothing is written any more. */
  async stop(): Promise<void> {
    await this.#pool.idle().catch(() => {});
  }

  async #addFile(entry: TarEntry, data: () => AsyncIterable<Buffer>): Promise<void> {
    const { name, size } = entry;
    if (size > WRITE_SIZE) {
      const written = this.#write(entry, joined(data()));
      this.#files.set(name, written);
      await written;
      return;
    }
    const bytes: Buffer[] = [];
    for await (const piece of joined(data())) bytes.push(piece);
    await this.#pool.add(() => {
      const written = this.#write(entry, bytes);
      this.#files.set(name, written);
      return written;
    });
  }

  async #write(
    { name, mode, mtime }: TarEntry,
    data: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<void> {
    await this.#makeParent(name);
    const permissions = mode & 0o777;
    await this.#place(name, async (path) => {
      const file = await openFile(path, "wx", permissions);
      try {
        for await (const piece of data) await writeAll(file, piece);
        if ((permissions & this.#umask) !== 0) await setMode(file, permissions);
        await setTimes(file, dateOf(mtime), dateOf(mtime));
      } finally {
        await closeFile(file);
      }
    });
  }

  /**
   * Makes what is new at its path; or beside what is there, to replace that in one step. Nothing is written through it, and
   * other transfers into the folder do not miss it.
   */
  async #place(name: string, make: (path: Buffer) => Promise<void>): Promise<void> {
    const path = this.#path(name);
    try {
      await make(path);
      return;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    const beside = this.#path(`${parentOf(name)}/.exec-server-sdk-${randomId()}`);
    try {
      await make(beside);
      await rename(beside, path);
    } finally {
      // Two links to one file are not renamed.
      await rm(beside, { force: true });
    }
  }

  async #makeParent(name: string): Promise<void> {
    const parent = parentOf(name);
    if (parent !== "") await this.#makeDirectory(parent);
  }

  #makeDirectory(name: string): Promise<void> {
    const known = this.#directories.get(name);
    if (known !== undefined) return known;
    const made = this.#makeParent(name).then(() => this.#replaceByDirectory(name));
    this.#directories.set(name, made);
    made.catch(() => {});
    return made;
  }

  /** Private until it has its mode. Other transfers may make it, or remove what is there, at the same time. */
  async #replaceByDirectory(name: string): Promise<void> {
    const path = this.#path(name);
    for (;;) {
      try {
        await mkdir(path, 0o700);
        this.#made.add(name);
        return;
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error;
      }
      if (await isDirectory(path)) return;
      await unlink(path).catch(async (error: unknown) => {
        if (!hasCode(error, "ENOENT") && !(await isDirectory(path))) throw error;
      });
    }
  }

  async #makeLink({ name, target, mtime }: TarEntry): Promise<void> {
    await this.#place(name, async (path) => {
      await symlink(Buffer.from(target, "latin1"), path);
      await lutimes(path, dateOf(mtime), dateOf(mtime));
    });
  }

  async #makeHardLink({ name, target }: TarEntry): Promise<void> {
    const source = innerName(target);
    // Only to what came with the archive: anything else could be a link.
    if (!this.#files.has(source))
      throw new ProtocolError(`the archive links '${textOf(name)}' to no file of its own`);
    if (source === name) return;
    await this.#place(name, (path) => linkTo(this.#path(source), path));
    this.#files.set(name, Promise.resolve());
  }

  #path(name: string): Buffer {
    return localPath(this.#root, name);
  }
}

/** The name of an entry within the folder; "" for the folder itself. Throws for a name that climbs out. */
export function innerName(name: string): string {
  const names = name.split("/").filter((part) => part !== "" && part !== ".");
  // On Windows, these separate names as well.
  const isUnsafe = process.platform === "win32" && /[\\:]/.test(name);
  if (isUnsafe || names.some((part) => part === ".." || part.includes("\0")))
    throw new ProtocolError(`the archive has a name that leads out of the folder: '${textOf(name)}'`);
  return names.join("/");
}

/** The name of the directory of an entry; "" for the folder itself. */
export const parentOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")));

const hasCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;

/** Links to a file. If another transfer replaces that at this moment, the system says that it does not exist. */
async function linkTo(source: Buffer, path: Buffer): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await link(source, path);
      return;
    } catch (error) {
      if (!hasCode(error, "ENOENT") || tries === MAX_LINK_TRIES) throw error;
      // Missing for good.
      await lstat(source);
    }
  }
}

/** Whether there is a directory, and no link to one. False for a missing path. */
async function isDirectory(path: Buffer): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

const byDepth = (a: TarEntry, b: TarEntry): number => b.name.split("/").length - a.name.split("/").length;

/** A time as Node takes it: a negative number would stand for now. Beyond the range of dates, their first or last. */
function dateOf(seconds: number): Date {
  return new Date(Math.max(-MAX_DATE, Math.min(seconds * 1000, MAX_DATE)));
}

/** The output of a process comes in pieces of 8 KiB, and each write of a file costs a while. */
async function* joined(data: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of data) {
    pieces.push(piece);
    length += piece.length;
    if (length < WRITE_SIZE) continue;
    yield Buffer.concat(pieces, length);
    pieces = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(pieces, length);
}
