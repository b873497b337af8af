import { concatBytes } from "../../internal/bytes.ts";
import type { Contents } from "../../internal/contents.ts";
import type { PathParams } from "../../protocol/filesystem.ts";
import { withBytesWritten } from "../blocks.ts";
import type { FileSession } from "../file-session.ts";
import { livePieces } from "../live-pieces.ts";
import { modeOf, reportProgress, type WriteFileOptions } from "../options.ts";
import { writeFile } from "../write-file.ts";
import { escapedBytes, runFileScript } from "./run-script.ts";

/** Bytes that fit into a variable of 128 KiB, the limit of Linux, if each takes five characters. */
const MAX_VARIABLE = 25_000;

/** Bytes that one start of a shell appends. */
const MAX_APPEND = 4 * 1024 * 1024;

const OWNER_WRITE = 0o200;

/**
 * Writes a file with a mode or a flag that the protocol does not have. Little data takes one start of a shell. More is
 * appended in pieces, with a start each; or the file is created by a start and then written in blocks.
 */
export async function putFile(
  session: FileSession,
  path: PathParams,
  contents: Contents,
  options: WriteFileOptions,
): Promise<void> {
  const { flag = "w", signal } = options;
  const mode = options.mode == null ? undefined : modeOf(options.mode);
  if (flag === "a") {
    await append(session, path, contents, mode, options);
    return;
  }
  const { bytes } = contents;
  if (bytes && bytes.length <= MAX_VARIABLE) {
    await put(session, path, flag, mode, bytes, signal);
    reportProgress(options, bytes.length, bytes.length);
    return;
  }
  const isNew = await put(session, path, flag, reopenable(mode), new Uint8Array(), signal);
  await writeFile(session, path, contents, options);
  if (isNew) await close(session, path, mode, signal);
}

/** The mode of a new file that is opened once more, for which its owner must be able to write. */
function reopenable(mode: number | undefined): number | undefined {
  return mode === undefined ? undefined : mode | OWNER_WRITE;
}

/** Takes from a new file what `reopenable` has added. */
async function close(
  session: FileSession,
  path: PathParams,
  mode: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (reopenable(mode) !== mode) await runFileScript(session, ["chmod", "u-w"], path, { signal });
}

async function append(
  session: FileSession,
  path: PathParams,
  contents: Contents,
  mode: number | undefined,
  options: WriteFileOptions,
): Promise<void> {
  const { signal } = options;
  const total = contents.bytes ? contents.bytes.length : contents.total;
  const isOnePiece = contents.bytes !== undefined && contents.bytes.length <= MAX_APPEND;
  const firstMode = isOnePiece ? mode : reopenable(mode);
  let bytesWritten = 0;
  let isNew = false;
  try {
    for await (const piece of pieces(session, contents, signal)) {
      if (await put(session, path, "a", firstMode, piece, signal)) isNew = true;
      bytesWritten += piece.length;
      reportProgress(options, bytesWritten, total);
    }
    if (isNew && !isOnePiece) await close(session, path, mode, signal);
  } catch (error) {
    throw withBytesWritten(error, bytesWritten);
  }
}

/** The contents in pieces of at most `MAX_APPEND`. At least one, which creates the file. */
async function* pieces(
  { rpc }: FileSession,
  contents: Contents,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let collected: Uint8Array[] = [];
  let length = 0;
  let isFirst = true;
  for await (let piece of livePieces(rpc, contents, signal)) {
    while (length + piece.length > MAX_APPEND) {
      const room = MAX_APPEND - length;
      yield concatBytes([...collected, piece.subarray(0, room)]);
      isFirst = false;
      piece = piece.subarray(room);
      collected = [];
      length = 0;
    }
    // The source may reuse its memory.
    collected.push(contents.bytes ? piece : piece.slice());
    length += piece.length;
  }
  if (length > 0 || isFirst) yield concatBytes(collected);
}

/** Returns whether the file is new. */
async function put(
  session: FileSession,
  path: PathParams,
  flag: "w" | "a" | "wx",
  mode: number | undefined,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const isSmall = bytes.length <= MAX_VARIABLE;
  const args = [flag === "wx" ? "x" : flag, String(mode ?? ""), isSmall ? "" : String(bytes.length)];
  const input = isSmall ? { data: escapedBytes(bytes) } : { input: bytes };
  return (await runFileScript(session, ["put", ...args], path, { ...input, signal })).length > 0;
}
