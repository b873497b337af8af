import { UsageError } from "../errors.ts";
import { guarded } from "../internal/guarded.ts";
import type { WalkLimits } from "../protocol/filesystem.ts";
import type { SandboxContext } from "../protocol/sandbox.ts";

/** Limits and circumstances of one file operation. */
export interface FileOptions {
  /** Ends the wait with the signal's reason. What the server has begun it finishes. @default none */
  readonly signal?: AbortSignal | undefined;
  /** The sandbox to work in. @default none */
  readonly sandbox?: SandboxContext | undefined;
}

/** How far a transfer has come. */
export interface TransferProgress {
  /** Bytes that have arrived, counted from the start of the transfer. */
  readonly bytes: number;
  /** Bytes there are in all; missing where that is not known. */
  readonly total?: number;
}

/** Options of a transfer of bytes. */
export interface TransferOptions extends FileOptions {
  /** Called after each block of a large file, and at the end. Errors thrown by it are ignored. @default nobody */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** The only text encoding; without one, files are bytes. */
export type FileEncoding = "utf8" | "utf-8";

/** Options of `readFile`. */
export interface ReadFileOptions extends TransferOptions {
  /** Returns text instead of bytes; a name other than UTF-8's is a UsageError `ERR_INVALID_ARGUMENT`. @default bytes */
  readonly encoding?: FileEncoding | null | undefined;
}

/** Options of `writeFile`. */
export interface WriteFileOptions extends TransferOptions {
  /** Text is always written as UTF-8; another name is a UsageError `ERR_INVALID_ARGUMENT`. @default "utf8" */
  readonly encoding?: FileEncoding | null | undefined;
}

/** Options of `rm`. */
export interface RmOptions extends FileOptions {
  /**
   * Removes a directory with everything in it; without it one that is not empty is a ServerError of the kind
   * `"not-empty"`. @default false
   */
  readonly recursive?: boolean | undefined;
  /** A missing path is no error. @default false */
  readonly force?: boolean | undefined;
}

/** Options of `mkdir` and `cp`. */
export interface RecursiveOptions extends FileOptions {
  /** Makes the missing parents too, or copies a directory with everything in it. @default false */
  readonly recursive?: boolean | undefined;
}

/** Options of `walk`. */
export interface WalkOptions extends FileOptions, WalkLimits {}

/** Options of `createReadStream`; offsets that are none are a UsageError `ERR_INVALID_ARGUMENT`. */
export interface ReadStreamOptions extends TransferOptions {
  /** Offset of the first byte, in bytes. @default 0 */
  readonly start?: number | undefined;
  /** Offset of the last byte, which is included, as in Node. @default the end of the file */
  readonly end?: number | undefined;
}

export function checkEncoding(encoding: string | null | undefined): boolean {
  if (encoding === undefined || encoding === null) return false;
  if (encoding === "utf8" || encoding === "utf-8") return true;
  throw new UsageError("ERR_INVALID_ARGUMENT", 'The only encoding is "utf8"; leave it out for bytes');
}

/** The offsets of a read stream: the first byte, and the one behind the last. */
export function byteRange({
  start = 0,
  end = Number.POSITIVE_INFINITY,
}: ReadStreamOptions): [number, number] {
  const isOffset = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (!isOffset(start) || !(isOffset(end) || end === Number.POSITIVE_INFINITY)) {
    throw new UsageError("ERR_INVALID_ARGUMENT", "start and end of a read stream are offsets in bytes");
  }
  if (start > end) throw new UsageError("ERR_INVALID_ARGUMENT", "A read stream can't start behind its end");
  return [start, end + 1];
}

export function reportProgress(options: TransferOptions, bytes: number, total?: number): void {
  if (options.onProgress) guarded(options.onProgress, { bytes, ...(total === undefined ? {} : { total }) });
}
