import { ProtocolError, UsageError } from "../errors.ts";
import { untilAborted } from "../internal/abort.ts";
import { type Bytes, randomId } from "../internal/bytes.ts";
import { unobserved } from "../internal/deferred.ts";
import { Semaphore } from "../internal/semaphore.ts";
import {
  blockSchema,
  type FileSystemParams,
  fileSystemSchemas,
  MAX_OPEN_HANDLES,
} from "../protocol/filesystem.ts";
import type { RpcPeer } from "../rpc/peer.ts";

/** The open files of one connection. The server allows 128; whoever wants more waits for one to be closed. */
export class FileHandles {
  readonly #rpc: RpcPeer;
  readonly #places = new Semaphore(MAX_OPEN_HANDLES);

  constructor(rpc: RpcPeer) {
    this.#rpc = rpc;
  }

  /** Opens a file. A handle that arrives after `signal` has aborted is closed again. */
  async open(
    params: Omit<FileSystemParams["fs/open"], "handleId">,
    signal: AbortSignal | undefined,
  ): Promise<FileHandle> {
    await this.#places.acquire(signal);
    const opening = this.#open(params, signal);
    return await untilAborted(opening, signal, (late) => void late.close());
  }

  async #open(
    params: Omit<FileSystemParams["fs/open"], "handleId">,
    signal: AbortSignal | undefined,
  ): Promise<FileHandle> {
    // Chosen here, so that it is known whatever becomes of the answer.
    const handleId = randomId();
    const handle = new FileHandle(this.#rpc, handleId, () => this.#places.release());
    try {
      // Opening a file to write it empties it: one that nobody wants any more is not opened.
      await this.#rpc.call("fs/open", { handleId, ...params }, { signal, untilSent: true });
      return handle;
    } catch (error) {
      // The server did answer: the file may well be open.
      if (error instanceof ProtocolError && error !== signal?.reason) void handle.close();
      else this.#places.release();
      throw error;
    }
  }
}

/** One open file on the server; keeps reading the file it opened even if another takes its name. */
export class FileHandle {
  readonly #rpc: RpcPeer;
  readonly #handleId: string;
  readonly #onClosed: () => void;
  #closing: Promise<void> | undefined;

  constructor(rpc: RpcPeer, handleId: string, onClosed: () => void) {
    this.#rpc = rpc;
    this.#handleId = handleId;
    this.#onClosed = onClosed;
  }

  /** Resolves with fewer bytes than asked for at the end of the file only. */
  async read(offset: number, length: number): Promise<{ bytes: Bytes; eof: boolean }> {
    const params = { handleId: this.#handleId, offset, len: length };
    const { chunk: bytes, eof } = await this.#rpc.request("fs/readBlock", params, blockSchema);
    if (bytes.length > length || (bytes.length < length && !eof)) {
      throw new ProtocolError("The server sent a block of a file that is invalid, too long or too short", {
        sessionId: this.#rpc.sessionId,
        delivery: "answered",
      });
    }
    return { bytes, eof };
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    // The write was given up, so nobody hears this: it is only not to go on.
    if (this.#closing !== undefined) throw new UsageError("ERR_INVALID_ARGUMENT", "The file is closed");
    const params = { handleId: this.#handleId, offset };
    await this.#rpc.request("fs/writeBlock", params, fileSystemSchemas.empty, {
      payload: { name: "chunk", bytes },
    });
  }

  /** Closes it once. Never rejects: with the connection the handle is gone as well. */
  close(): Promise<void> {
    this.#closing ??= this.#rpc
      .call("fs/close", { handleId: this.#handleId }, { urgent: true })
      .then(this.#onClosed, this.#onClosed);
    return unobserved(this.#closing);
  }
}
