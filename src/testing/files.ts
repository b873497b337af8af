import { ServerError } from "../errors/server.ts";
import { bindMembers } from "../internal/bound.ts";
import { textOf, utf8 } from "../internal/bytes.ts";
import { Listeners } from "../internal/listeners.ts";
import { checkArgument } from "../internal/option-rules.ts";
import { RPC_INTERNAL_ERROR } from "../protocol/json-rpc.ts";
import { formatPathUri, parsePath, toNativePath } from "../protocol/path-uri.ts";
import { remotePath } from "../protocol/remote-path.ts";
import { INVALID_REQUEST, NOT_FOUND } from "./error-codes.ts";
import { dataRule } from "./rules.ts";

/** A file, or a directory if it has no bytes. */
export interface Entry {
  bytes?: Uint8Array;
  createdAtMs: number;
  modifiedAtMs: number;
  /** Where it is. Derived once: every listing of a directory looks at every entry. */
  parent: string;
}

/**
 * The files of a test server, in memory. The app reads and writes them through the client, the test through these
 * methods. Paths are absolute: native strings or `file:` URLs. There are no links, and modes are accepted but not kept.
 *
 * @example
 * server.files.write("/work/in.txt", "text");
 * await app.fs.cp("/work/in.txt", "/work/out.txt");
 * console.log(server.files.text("/work/out.txt"), server.files.paths());
 */
export class TestFiles {
  readonly #entries = new Map<string, Entry>();
  /** @internal */
  readonly changed = new Listeners<void>();

  /** @internal Constructed by the server. */
  constructor(files: Readonly<Record<string, string | Uint8Array>>) {
    bindMembers(this, TestFiles);
    for (const [path, data] of Object.entries(files)) this.write(path, data);
  }

  /** Writes a file. Missing parent directories are created. */
  write(path: string | URL, data: string | Uint8Array): void {
    checkArgument("data", data, dataRule);
    const key = keyOf(path);
    this.createDirectory(remotePath.dirname(key), true);
    this.writeFile(key, typeof data === "string" ? utf8(data) : new Uint8Array(data));
  }

  /** Creates a directory and its missing parents. */
  mkdir(path: string | URL): void {
    this.createDirectory(keyOf(path), true);
  }

  /** Removes a file, or a directory with its contents. Does nothing if the path does not exist. */
  remove(path: string | URL): void {
    const key = keyOf(path);
    if (this.has(key)) this.removeEntry(key, true, true);
  }

  /** A copy of a file's contents; undefined if there is no such file. */
  bytes(path: string | URL): Uint8Array | undefined {
    return this.#entries.get(keyOf(path))?.bytes?.slice();
  }

  /** A file's contents as UTF-8 text; undefined if there is no such file. */
  text(path: string | URL): string | undefined {
    const bytes = this.bytes(path);
    return bytes && textOf(bytes);
  }

  /** The native paths of all files, sorted. */
  paths(): string[] {
    const files = [...this.#entries].filter(([, { bytes }]) => bytes !== undefined);
    return files.map(([key]) => toNativePath(key)).sort();
  }

  /** @internal */
  has(key: string): boolean {
    return isRoot(key) || this.#entries.has(key);
  }

  /** @internal The file or directory at a path; throws the error of the real server if there is none. */
  entry(key: string): Entry {
    const entry =
      this.#entries.get(key) ?? (isRoot(key) ? { createdAtMs: 0, modifiedAtMs: 0, parent: key } : undefined);
    if (entry) return entry;
    const above = this.entry(remotePath.dirname(key));
    throw above.bytes === undefined ? failure(NOT_FOUND, "No such file or directory", 2) : notADirectory();
  }

  /** @internal */
  file(key: string): Entry & { bytes: Uint8Array } {
    const entry = this.entry(key);
    if (isFile(entry)) return entry;
    throw new ServerError(`path \`${toNativePath(key)}\` is not a file`, { rpcCode: INVALID_REQUEST });
  }

  /** @internal The entries of a directory, sorted by name. */
  directory(key: string): [name: string, key: string, entry: Entry][] {
    if (this.entry(key).bytes !== undefined) throw notADirectory();
    const inside = [...this.#entries].filter(([other, { parent }]) => other !== key && parent === key);
    const named = inside.map(([other, entry]) => [remotePath.basename(other), other, entry] as const);
    return named.sort(([a], [b]) => (a < b ? -1 : 1)).map((found) => [...found]);
  }

  /** @internal Creates or overwrites a file. Open handles keep referring to the same entry. */
  writeFile(key: string, bytes: Uint8Array): Entry & { bytes: Uint8Array } {
    const parent = remotePath.dirname(key);
    if (this.entry(parent).bytes !== undefined) throw notADirectory();
    if (this.has(key) && this.entry(key).bytes === undefined) {
      throw failure(RPC_INTERNAL_ERROR, "Is a directory", 21);
    }
    const now = Date.now();
    const entry = Object.assign(this.#entries.get(key) ?? { createdAtMs: now }, {
      bytes,
      modifiedAtMs: now,
      parent,
    });
    this.#entries.set(key, entry);
    this.changed.emit();
    return entry;
  }

  /** @internal */
  createDirectory(key: string, recursive: boolean): void {
    if (this.has(key)) {
      if (recursive && this.entry(key).bytes === undefined) return;
      throw failure(RPC_INTERNAL_ERROR, "File exists", 17);
    }
    const parent = remotePath.dirname(key);
    if (recursive && !this.has(parent)) this.createDirectory(parent, true);
    if (this.entry(parent).bytes !== undefined) throw notADirectory();
    this.#entries.set(key, { createdAtMs: Date.now(), modifiedAtMs: Date.now(), parent });
    this.changed.emit();
  }

  /** @internal */
  removeEntry(key: string, recursive: boolean, force: boolean): void {
    try {
      this.entry(key);
    } catch (error) {
      // A path below a file is an error nevertheless.
      if (force && (error as ServerError).rpcCode === NOT_FOUND) return;
      throw error;
    }
    const isDirectory = this.entry(key).bytes === undefined;
    const inside = isDirectory ? this.directory(key) : [];
    if (inside.length > 0 && !recursive) throw failure(RPC_INTERNAL_ERROR, "Directory not empty", 39);
    for (const [, child] of inside) this.removeEntry(child, true, true);
    this.#entries.delete(key);
  }

  /** @internal */
  rename(from: string, to: string): void {
    const source = this.entry(from);
    const parent = this.entry(remotePath.dirname(to));
    if (parent.bytes !== undefined) throw notADirectory();
    if (from === to) return;
    if (remotePath.startsWith(to, from)) throw failure(INVALID_REQUEST, "Invalid argument", 22);
    if (this.has(to)) {
      const replaced = this.entry(to);
      if (isFile(replaced) && !isFile(source)) throw notADirectory();
      if (!isFile(replaced) && isFile(source)) throw failure(RPC_INTERNAL_ERROR, "Is a directory", 21);
      this.removeEntry(to, false, false);
    }
    for (const [key, entry] of [...this.#entries]) {
      if (!remotePath.startsWith(key, from)) continue;
      this.#entries.delete(key);
      const moved = to + key.slice(from.length);
      this.#entries.set(moved, Object.assign(entry, { parent: remotePath.dirname(moved) }));
    }
    this.changed.emit();
  }

  /** @internal */
  copy(source: string, destination: string, recursive: boolean): void {
    const { bytes } = this.entry(source);
    if (bytes !== undefined) {
      this.writeFile(destination, bytes.slice());
      return;
    }
    if (!recursive) {
      const message = "fs/copy requires recursive: true when sourcePath is a directory";
      throw new ServerError(message, { rpcCode: INVALID_REQUEST });
    }
    if (remotePath.startsWith(destination, source)) {
      const message = "fs/copy cannot copy a directory to itself or one of its descendants";
      throw new ServerError(message, { rpcCode: INVALID_REQUEST });
    }
    this.createDirectory(destination, true);
    for (const [name, child] of this.directory(source)) {
      this.copy(child, remotePath.join(destination, name), true);
    }
  }
}

/** The normalized form of a path, by which entries are stored. */
export function keyOf(path: string | URL): string {
  const parsed = parsePath(path, "The path");
  return formatPathUri(parsed.opaque ? parsed : { ...parsed, trailingSlash: false });
}

function isRoot(key: string): boolean {
  return remotePath.dirname(key) === key;
}

function isFile(entry: Entry): entry is Entry & { bytes: Uint8Array } {
  return entry.bytes !== undefined;
}

function notADirectory(): ServerError {
  return failure(RPC_INTERNAL_ERROR, "Not a directory", 20);
}

/** Uses the message of the operating system, from which the client derives `kind`. */
function failure(rpcCode: number, message: string, code: number): ServerError {
  return new ServerError(`${message} (os error ${code})`, { rpcCode });
}
