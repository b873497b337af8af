import { invalid, unsupported } from "../internal/arguments.ts";
import { guarded } from "../internal/guarded.ts";
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  anObject,
  either,
  integer,
  oneOf,
  type Rule,
  type Rules,
} from "../internal/option-rules.ts";
import type { WalkLimits } from "../protocol/filesystem.ts";
import type { SandboxContext } from "../protocol/sandbox.ts";

const STREAM = "this is a web stream, which opens and closes its file";
const FLAG = "the server can only read (r) or replace (w) a file";
const RETRY = "call it again";

/** Options of Node's that a method can't have: their name, and what to do instead. */
export const HINTS: Readonly<Record<string, string>> = {
  autoClose: STREAM,
  bigint: "sizes and times are numbers",
  dereference: "links are copied as links, so copy their realpath()",
  emitClose: STREAM,
  encoding: "pipe through a TextDecoderStream or TextEncoderStream",
  fd: STREAM,
  filter: "copy the entries one by one",
  flags: FLAG,
  flush: "the server does not flush",
  fs: STREAM,
  highWaterMark: STREAM,
  maxRetries: RETRY,
  mode: "call chmod() afterwards",
  preserveTimestamps: "run() cp -p",
  retryDelay: RETRY,
  start: FLAG,
  verbatimSymlinks: "links are always copied as they are",
};

/** The only flags that a method supports. */
const only =
  (option: string, ...flags: readonly string[]): Rule =>
  (value) => {
    if (flags.includes(value as string)) return undefined;
    const list = flags.map((flag) => JSON.stringify(flag)).join(", ");
    return unsupported(`The only supported ${option} is ${list}: ${FLAG}`);
  };

/** A file mode: a number, or octal digits. */
export const aMode: Rule = (value) =>
  (typeof value === "string" ? /^0*[0-7]{1,4}$/.test(value) : integer(0, 0o7777)(value) === undefined)
    ? undefined
    : "an integer from 0 to 0o7777, or such a number as octal digits";

export const modeOf = (mode: number | string): number =>
  typeof mode === "string" ? Number.parseInt(mode, 8) : mode;

/** Options of every file operation. An unknown option throws UsageError `ERR_INVALID_ARGUMENT`. */
export interface FileOptions {
  /** Rejects the call with the signal's reason. The server may still finish an operation it has begun. @default none */
  readonly signal?: AbortSignal | undefined;
  /** The sandbox that the operation runs in. @default none */
  readonly sandbox?: SandboxContext | undefined;
}

export const fileRules: Rules<FileOptions> = { signal: anAbortSignal, sandbox: anObject };

/** Progress of a transfer. */
export interface TransferProgress {
  /** Bytes transferred since the start of the transfer. */
  readonly bytes: number;
  /** Bytes of the whole transfer. Missing if unknown. */
  readonly total?: number;
}

/** Options of a transfer of bytes. */
export interface TransferOptions extends FileOptions {
  /**
   * Called after each block of a large file and at the end. What it throws or rejects with is ignored. @default none
   */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

const transfer: Rules<TransferOptions> = { ...fileRules, onProgress: aFunction };

/** The only text encoding. Without an encoding, a file is bytes. */
export type FileEncoding = "utf8" | "utf-8";

/** Options of `readFile`. */
export interface ReadFileOptions extends TransferOptions {
  /** Returns text instead of bytes. Another encoding throws UsageError `ERR_INVALID_ARGUMENT`. @default bytes */
  readonly encoding?: FileEncoding | null | undefined;
  /** Node's other flags throw UsageError `ERR_UNSUPPORTED`. @default "r" */
  readonly flag?: "r" | undefined;
}

/** Options of a `readFile` that returns text. */
export interface ReadFileTextOptions extends ReadFileOptions {
  /** Returns text. */
  readonly encoding: FileEncoding;
}

/** Options of a `readFile` that returns bytes. */
export interface ReadFileBytesOptions extends ReadFileOptions {
  /** Without an encoding, bytes are returned. @default null */
  readonly encoding?: null | undefined;
}

const encoding = oneOf("utf8", "utf-8", null);
export const readFileRules: Rules<ReadFileOptions> = { ...transfer, encoding, flag: only("flag", "r") };

/** Options of `appendFile`. */
export interface AppendFileOptions extends TransferOptions {
  /** Text is always written as UTF-8. Another encoding throws UsageError `ERR_INVALID_ARGUMENT`. @default "utf8" */
  readonly encoding?: FileEncoding | null | undefined;
  /**
   * The mode of a new file, less the server's umask: a number, or octal digits. The file has it before its first byte. It
   * requires a POSIX server. @default 0o666
   */
  readonly mode?: number | string | null | undefined;
  /** Node's other flags throw UsageError `ERR_UNSUPPORTED`. @default "a" */
  readonly flag?: "a" | undefined;
}

/** Options of `writeFile`. */
export interface WriteFileOptions extends Omit<AppendFileOptions, "flag"> {
  /**
   * "w" replaces the file, "a" appends to it, "wx" creates it and rejects with a ServerError of the kind
   * `"already-exists"` for anything that exists. The latter two require a POSIX server. Node's other flags throw UsageError
   * `ERR_UNSUPPORTED`. @default "w"
   */
  readonly flag?: "w" | "a" | "wx" | undefined;
}

const put = { ...transfer, encoding, mode: either(oneOf(null), aMode) };
export const appendFileRules: Rules<AppendFileOptions> = { ...put, flag: only("flag", "a") };
export const writeFileRules: Rules<WriteFileOptions> = { ...put, flag: only("flag", "w", "a", "wx") };

/** Options of `rm`. */
export interface RmOptions extends FileOptions {
  /**
   * Removes a directory with everything in it. Without this option, a directory that is not empty rejects with a
   * ServerError of the kind `"not-empty"`, and an empty one with UsageError `ERR_INVALID_ARGUMENT`. @default false
   */
  readonly recursive?: boolean | undefined;
  /** Ignores a missing path. @default false */
  readonly force?: boolean | undefined;
}

export const rmRules: Rules<RmOptions> = { ...fileRules, recursive: aBoolean, force: aBoolean };

/** Options of `mkdir` and `cp`. Node's `mode` throws UsageError `ERR_UNSUPPORTED`. */
export interface RecursiveOptions extends FileOptions {
  /** `mkdir`: also makes missing parents. `cp`: copies a directory with everything in it. @default false */
  readonly recursive?: boolean | undefined;
}

export const mkdirRules: Rules<RecursiveOptions> = { ...fileRules, recursive: aBoolean };

/** Options of `cp`. Node's other options throw UsageError `ERR_UNSUPPORTED`. */
export interface CopyOptions extends RecursiveOptions {
  /**
   * Replaces a file that exists. With false, such a file is kept; for a directory that exists, false throws UsageError
   * `ERR_UNSUPPORTED`. @default true
   */
  readonly force?: boolean | undefined;
  /** With `force: false`, rejects with a ServerError of the kind `"already-exists"` for a file that exists. @default false */
  readonly errorOnExist?: boolean | undefined;
}

export const cpRules: Rules<CopyOptions> = { ...rmRules, errorOnExist: aBoolean };

/** Options of `readdir`. */
export interface ReaddirOptions extends FileOptions {
  /** Names are text. Another encoding throws UsageError `ERR_INVALID_ARGUMENT`. @default "utf8" */
  readonly encoding?: FileEncoding | null | undefined;
  /** Also lists the directories inside, each with a request. As in Node, names are then relative paths. @default false */
  readonly recursive?: boolean | undefined;
  /** Returns entries with their types instead of names. @default false */
  readonly withFileTypes?: boolean | undefined;
}

/** Options of a `readdir` that returns names. */
export interface ReaddirNamesOptions extends ReaddirOptions {
  /** Without types, names are returned. @default false */
  readonly withFileTypes?: false | undefined;
}

/** Options of a `readdir` that returns entries with their types. */
export interface ReaddirTypesOptions extends ReaddirOptions {
  /** Returns entries with their types. */
  readonly withFileTypes: true;
}

export const readdirRules: Rules<ReaddirOptions> = { ...mkdirRules, encoding, withFileTypes: aBoolean };

/** Options of `realpath`, `readlink` and `mkdtemp`. */
export interface RealpathOptions extends FileOptions {
  /** Paths are text. Another encoding throws UsageError `ERR_INVALID_ARGUMENT`. @default "utf8" */
  readonly encoding?: FileEncoding | null | undefined;
}

export const realpathRules: Rules<RealpathOptions> = { ...fileRules, encoding };

/** What a link leads to. Only Windows, where links can't be made here, distinguishes them. */
export type LinkType = "dir" | "file" | "junction";

/** Options of `symlink`. */
export interface SymlinkOptions extends FileOptions {
  /** Ignored, as by Node on POSIX systems. @default none */
  readonly type?: LinkType | null | undefined;
}

export const symlinkRules: Rules<SymlinkOptions> = {
  ...fileRules,
  type: oneOf("dir", "file", "junction", null),
};

/** Options of `walk`. A limit out of its range throws UsageError `ERR_INVALID_ARGUMENT`. */
export interface WalkOptions extends FileOptions, WalkLimits {}

export const walkRules: Rules<WalkOptions> = {
  ...fileRules,
  maxDepth: integer(0, 64),
  maxDirectories: integer(1, 10_000),
  maxEntries: integer(1, 50_000),
  followDirectorySymlinks: aBoolean,
  pruneHiddenDirectories: aBoolean,
};

/** Options of `createReadStream`. An invalid offset throws UsageError `ERR_INVALID_ARGUMENT`. */
export interface ReadStreamOptions extends TransferOptions {
  /** Offset of the first byte, in bytes. @default 0 */
  readonly start?: number | undefined;
  /** Offset of the last byte, in bytes; included, as in Node. @default the end of the file */
  readonly end?: number | undefined;
}

const offset = integer(0, Number.MAX_SAFE_INTEGER);
const endOffset: Rule = (value) => (value === Number.POSITIVE_INFINITY ? undefined : offset(value));

export const readStreamRules: Rules<ReadStreamOptions> = { ...transfer, start: offset, end: endOffset };

/** Options of `createWriteStream`. Node's `start`, `mode` and flags other than "w" throw UsageError `ERR_UNSUPPORTED`. */
export interface WriteStreamOptions extends TransferOptions {
  /** Replaces the file. @default "w" */
  readonly flags?: "w" | undefined;
}

export const writeStreamRules: Rules<WriteStreamOptions> = { ...transfer, flags: only("flags", "w") };

/** Options of `whenAppears`. */
export interface WatchOptions {
  /** Rejects the call with the signal's reason. @default none */
  readonly signal?: AbortSignal | undefined;
}

export const watchRules: Rules<WatchOptions> = { signal: anAbortSignal };

/** Options of which Node also takes the encoding alone, or null. */
export function withEncoding<Options extends { readonly encoding?: FileEncoding | null | undefined }>(
  options: FileEncoding | Options | null | undefined,
): Options | undefined {
  return typeof options === "string" ? ({ encoding: options } as Options) : (options ?? undefined);
}

/** The offsets of a read stream: of the first byte, and behind the last byte. */
export function byteRange({
  start = 0,
  end = Number.POSITIVE_INFINITY,
}: ReadStreamOptions): [number, number] {
  if (start > end) invalid(`end must be at least start (${start}), got ${end}`);
  return [start, end + 1];
}

/** Calls `onProgress`, if there is one. */
export function reportProgress(options: TransferOptions, bytes: number, total?: number): void {
  if (options.onProgress) guarded(options.onProgress, { bytes, ...(total === undefined ? {} : { total }) });
}
