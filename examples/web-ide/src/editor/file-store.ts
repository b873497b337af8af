import {
  type ExecEnvironment,
  ExecServerError,
  remotePath,
  ServerError,
  type TransferOptions,
} from "exec-server-sdk";

/** What identifies the contents of a file without reading it. */
export interface Version {
  readonly size: number;
  readonly mtimeMs: number;
}

/** What is on the server, compared with known contents. */
type Found = "missing" | "changed" | "same";

/** Up to this size, bytes are compared: a size and a time can be the same after a change. */
const ALWAYS_COMPARED = 256 * 1024;

/**
 * Puts `$1` in the place of `$2`. A rename is one step, but would change the owner of another user's file, cut a hard link
 * and lose an access list. `ls` shows all of these: where its words differ, the contents are copied into the file instead.
 */
const REPLACE = `
look() { set -f; set -- $(LC_ALL=C ls -ldn "$1"); printf '%s ' "$1" "$2" "$3" "$4"; }
[ -e "$2" ] && [ "$(look "$1")" != "$(look "$2")" ] || exec mv -f "$1" "$2"
cat "$1" >"$2" && rm -f "$1"`;

type Transfer = Pick<TransferOptions, "signal" | "onProgress">;

/** Reads, compares and replaces files of the server. */
export class FileStore {
  readonly #environment: Pick<ExecEnvironment, "fs" | "run">;

  constructor(environment: Pick<ExecEnvironment, "fs" | "run">) {
    this.#environment = environment;
  }

  /** The version of a file; undefined if there is none. Throws if there is something else at the path. */
  async version(path: string): Promise<Version | undefined> {
    const stats = await unlessMissing(this.#environment.fs.stat(path));
    // Reading a pipe or a device would never end.
    if (stats && !stats.isFile()) throw new Error("it is not a regular file");
    return stats && { size: stats.size, mtimeMs: stats.mtimeMs };
  }

  async read(path: string, transfer: Transfer): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#environment.fs.readFile(path, transfer);
  }

  /** The first bytes of a file. */
  async readStart(path: string, bytes: number, transfer: Transfer): Promise<Uint8Array<ArrayBuffer>> {
    const stream = this.#environment.fs.createReadStream(path, { ...transfer, end: bytes - 1 });
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /**
   * Compares a file with the contents that it may have. One whose version is the known one is not read, except `thorough`ly,
   * before it is replaced: then a small one is read in any case.
   */
  async compare(
    path: string,
    known: Version | undefined,
    contents: () => readonly Uint8Array[],
    { thorough = false }: { thorough?: boolean } = {},
  ): Promise<Found> {
    const version = await this.version(path);
    if (!version) return "missing";
    const { size } = version;
    const isTrusted = !thorough || size > ALWAYS_COMPARED;
    if (isTrusted && isSame(version, known)) return "same";
    const fitting = contents().filter(({ length }) => length === size);
    if (fitting.length === 0) return "changed";
    const bytes = await this.#environment.fs.readFile(path);
    return fitting.some((candidate) => isEqual(candidate, bytes)) ? "same" : "changed";
  }

  /**
   * Replaces or makes a file. Everything is first written to `draft`, a file beside it: a loss in the middle leaves the file
   * as it was. Links keep leading to it, and it keeps its mode and owner.
   */
  async replace(path: string, bytes: Uint8Array, draft: string, transfer: Transfer): Promise<Version> {
    const { fs } = this.#environment;
    const existing = await unlessMissing(fs.realpath(path));
    const file = existing ?? path;
    const copy = remotePath.join(remotePath.dirname(file), draft);
    try {
      if (existing !== undefined) await fs.cp(existing, copy);
    } catch (error) {
      // The directory takes no new files.
      if (kindOf(error) !== "permission-denied") throw error;
      return await this.#overwrite(file, bytes, transfer);
    }
    try {
      await fs.writeFile(copy, bytes, transfer);
      // Asked for before the file is in its place: later, it could be the version of another writer.
      const { size, mtimeMs } = await fs.stat(copy);
      transfer.signal?.throwIfAborted();
      await this.#move(copy, file);
      return { size, mtimeMs };
    } catch (error) {
      // After a loss, the next save writes over the draft and moves it away.
      if (isConnected(error)) fs.rm(copy, { force: true }).catch(() => {});
      throw error;
    }
  }

  async #move(from: string, to: string): Promise<void> {
    const { fs } = this.#environment;
    try {
      await this.#environment.run(["/bin/sh", "-c", REPLACE, "sh", from, to]);
    } catch (error) {
      if (kindOf(error) !== "not-found") throw error;
      // A server without a shell.
      await fs.cp(from, to);
      await fs.rm(from, { force: true });
    }
  }

  async #overwrite(file: string, bytes: Uint8Array, transfer: Transfer): Promise<Version> {
    const { fs } = this.#environment;
    await fs.writeFile(file, bytes, transfer);
    const { size, mtimeMs } = await fs.stat(file);
    return { size, mtimeMs };
  }
}

const isSame = (a: Version, b: Version | undefined): boolean => a.size === b?.size && a.mtimeMs === b.mtimeMs;

const kindOf = (error: unknown): string | undefined =>
  error instanceof ServerError ? error.kind : undefined;

async function unlessMissing<Value>(value: Promise<Value>): Promise<Value | undefined> {
  try {
    return await value;
  } catch (error) {
    if (kindOf(error) === "not-found") return undefined;
    throw error;
  }
}

/** Whether an error came from a connection that still stands. */
const isConnected = (error: unknown): boolean =>
  !(error instanceof ExecServerError) || !/^ERR_(CONNECT|DISCONNECTED|INITIALIZE)/.test(error.code);

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
