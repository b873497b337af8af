import { isAbortReason, linkedController, onAbort } from "../../internal/abort.ts";
import { invalid } from "../../internal/arguments.ts";
import { byteStream, iterate } from "../../internal/byte-stream.ts";
import { type Bytes, concatBytes, randomId } from "../../internal/bytes.ts";
import type { Contents } from "../../internal/contents.ts";
import { unobserved } from "../../internal/deferred.ts";
import { attribute, type Operation } from "../../internal/operation.ts";
import type { PathParams } from "../../protocol/filesystem.ts";
import { joinPaths } from "../../protocol/remote-path.ts";
import type { FileSession } from "../file-session.ts";
import { writeFile } from "../write-file.ts";
import { Flow } from "./flow.ts";
import { notStarted, runFileScript, scriptFailure, scriptPath } from "./run-script.ts";
import { FILE_SCRIPT } from "./script.ts";

/** The two empty blocks that end an archive. */
const END_BYTES = 1024;

/** What GNU's tar reports of sockets, and, with exit code 1, of files that change while they are packed. */
const HARMLESS =
  /^tar: .*(file changed as we read it|File removed before we read it|File shrank by .*|socket ignored)$/;

/** Packs a directory while the stream is read. Starts with the first read. Errors name the operation. */
export function packStream(
  connect: (signal: AbortSignal) => Promise<FileSession>,
  { path, sandbox }: PathParams,
  parent: AbortSignal | undefined,
  operation: Operation,
): ReadableStream<Bytes> {
  // Aborts with the caller's signal, and on a cancel or an error. It ends the process.
  const { controller: stop, unlink } = linkedController(parent);
  const pieces = async function* (): AsyncGenerator<Bytes, undefined> {
    const session = await connect(stop.signal);
    const { shell, rpc } = session;
    const command = ["pack", scriptPath(session, path)];
    const packing = await shell.start(FILE_SCRIPT, command, { sandbox, signal: stop.signal });
    const flow = new Flow(packing);
    const reported = unobserved(flow.readErrors());
    for await (const piece of iterate(packing.stdout)) {
      // The stream takes the memory over.
      const { length } = piece;
      yield piece;
      flow.consumed(length);
    }
    const [{ exitCode }, stderr] = await Promise.all([packing.closed, reported]);
    if (!flow.hasRun) throw notStarted(stderr, rpc.sessionId);
    const lines = stderr.split("\n").filter((line) => line !== "" && !HARMLESS.test(line));
    const [status] = lines.filter((line) => line.startsWith("es_exit"));
    // Without a line of its own, tar has ended well.
    const isComplete = status === undefined || (status === "es_exit 1" && lines.length === 1);
    if (exitCode === 0 && isComplete) return;
    const errors = lines.filter((line) => line !== status).join("\n");
    throw scriptFailure(exitCode || 1, errors, path, rpc.sessionId);
  };
  const source = pieces();
  const { stream, fail } = byteStream({
    async next() {
      try {
        const { value } = await source.next();
        if (!value) unlink();
        return value;
      } catch (error) {
        if (!isAbortReason(error, stop.signal)) attribute(error, operation);
        stop.abort(error);
        throw stop.signal.reason;
      }
    },
    cancel: (reason) => stop.abort(reason),
  });
  const end = (): void => {
    unlink();
    fail(stop.signal.reason);
  };
  if (stop.signal.aborted) end();
  else onAbort(stop.signal, end);
  return stream;
}

/** Writes an archive of `archiveContents` into the directory, and has the server unpack it from there. */
export async function unpack(
  session: FileSession,
  directory: PathParams,
  contents: Contents,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Before anything is transferred.
  await runFileScript(session, ["room"], directory, { signal });
  const path = joinPaths(directory.path, `.exec-server-sdk-${randomId()}.tar`);
  try {
    await writeFile(session, { ...directory, path }, contents, { signal });
    await runFileScript(session, ["unpack", scriptPath(session, path)], directory, { signal });
  } catch (error) {
    // An error does not wait for it.
    const params = { ...directory, path, recursive: false, force: true };
    void unobserved(session.rpc.call("fs/remove", params, { releases: true }));
    throw error;
  }
}

/** Rejects contents that do not end as an archive: some of the programs that unpack do not notice. */
export function archiveContents(contents: Contents): Contents {
  if (contents.bytes) {
    checkEnd(contents.bytes.subarray(-END_BYTES));
    return contents;
  }
  const { total, pieces } = contents;
  return {
    total,
    async *pieces(signal) {
      let end: Uint8Array = new Uint8Array();
      for await (const piece of pieces(signal)) {
        end = concatBytes([end, piece.subarray(-END_BYTES)]).subarray(-END_BYTES);
        yield piece;
      }
      checkEnd(end);
    },
  };
}

function checkEnd(end: Uint8Array): void {
  if (end.length < END_BYTES || end.some((byte) => byte !== 0))
    invalid(`tar must be a tar archive that ends with ${END_BYTES} zero bytes, got other bytes`);
}
