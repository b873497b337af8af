import { invalid, received } from "../internal/arguments.ts";
import { utf8 } from "../internal/bytes.ts";
import { guarded } from "../internal/guarded.ts";
import type { WalkLimits } from "../protocol/filesystem.ts";
import type { SandboxContext } from "../protocol/sandbox.ts";

/** Options of every file operation. */
export interface FileOptions {
  /** Rejects the call with the signal's reason. The server still finishes an operation it has begun. @default none */
  readonly signal?: AbortSignal | undefined;
  /** The sandbox that the operation runs in. @default none */
  readonly sandbox?: SandboxContext | undefined;
}

/** Progress of a transfer. */
export interface TransferProgress {
  /** Bytes transferred since the start of the transfer. */
  readonly bytes: number;
  /** Bytes of the whole transfer. Missing if unknown. */
  readonly total?: number;
}

/** Options of a transfer of bytes. */
export interface TransferOptions extends FileOptions {
  /** Called after each block of a large file and at the end. Errors that it throws are ignored. @default none */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** The only text encoding. Without an encoding, a file is bytes. */
export type FileEncoding = "utf8" | "utf-8";

/** Options of `readFile`. */
export interface ReadFileOptions extends TransferOptions {
  /** Returns text instead of bytes. Another encoding throws UsageError `ERR_INVALID_ARGUMENT`. @default bytes */
  readonly encoding?: FileEncoding | null | undefined;
}

/** Options of `writeFile`. */
export interface WriteFileOptions extends TransferOptions {
  /** Text is always written as UTF-8. Another encoding throws UsageError `ERR_INVALID_ARGUMENT`. @default "utf8" */
  readonly encoding?: FileEncoding | null | undefined;
}

/** Options of `rm`. */
export interface RmOptions extends FileOptions {
  /**
   * Removes a directory with everything in it. Without this option, a directory that is not empty rejects with a
   * ServerError of the kind `"not-empty"`. @default false
   */
  readonly recursive?: boolean | undefined;
  /** Ignores a missing path. @default false */
  readonly force?: boolean | undefined;
}

/** Options of `mkdir` and `cp`. */
export interface RecursiveOptions extends FileOptions {
  /** `mkdir`: also makes missing parents. `cp`: copies a directory with everything in it. @default false */
  readonly recursive?: boolean | undefined;
}

/** Options of `walk`. */
export interface WalkOptions extends FileOptions, WalkLimits {}

/** Options of `createReadStream`. An invalid offset throws UsageError `ERR_INVALID_ARGUMENT`. */
export interface ReadStreamOptions extends TransferOptions {
  /** Offset of the first byte, in bytes. @default 0 */
  readonly start?: number | undefined;
  /** Offset of the last byte, in bytes; included, as in Node. @default the end of the file */
  readonly end?: number | undefined;
}

/** Returns whether an encoding was given, which means text. */
export function checkEncoding(encoding: string | null | undefined): boolean {
  if (encoding === undefined || encoding === null) return false;
  if (encoding === "utf8" || encoding === "utf-8") return true;
  return invalid(`encoding must be "utf8" or undefined, got ${received(encoding)}`);
}

/** The bytes to write: text as UTF-8, or the memory that a view shows. */
export function bytesOf(data: string | ArrayBufferView | ArrayBuffer): Uint8Array {
  if (typeof data === "string") return utf8(data);
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return invalid(`data must be a string, an ArrayBuffer or a typed array, got ${received(data)}`);
}

/** The offsets of a read stream: of the first byte, and behind the last byte. */
export function byteRange({
  start = 0,
  end = Number.POSITIVE_INFINITY,
}: ReadStreamOptions): [number, number] {
  checkOffset("start", start);
  if (end !== Number.POSITIVE_INFINITY) checkOffset("end", end);
  if (start > end) invalid(`end must be at least start (${start}), got ${end}`);
  return [start, end + 1];
}

function checkOffset(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  invalid(`${name} must be an offset in bytes, got ${received(value)}`);
}

/** Calls `onProgress`, if there is one. */
export function reportProgress(options: TransferOptions, bytes: number, total?: number): void {
  if (options.onProgress) guarded(options.onProgress, { bytes, ...(total === undefined ? {} : { total }) });
}
