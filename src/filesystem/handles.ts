import { ProtocolError } from "../errors/connection.ts";
import { isAbortReason, onAbort, untilAborted } from "../internal/abort.ts";
import { type Bytes, randomId } from "../internal/bytes.ts";
import { blockSchema, type FileSystemParams } from "../protocol/filesystem.ts";
import { failureOfCall } from "../rpc/errors.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { HandlePlaces } from "./handle-places.ts";

/** The open files of one connection. The server allows 128: a further `open` waits until one is closed. */
export class FileHandles {
  readonly #rpc: RpcPeer;
  readonly #places: HandlePlaces;

  constructor(rpc: RpcPeer) {
    this.#rpc = rpc;
    this.#places = new HandlePlaces(rpc);
  }

  /** Opens a file. An abort of the signal closes it, also when its handle arrives after the abort. */
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
    // Chosen by the client, so that the file can be closed even if the response is invalid.
    const handleId = randomId();
    const stopHolding = this.#rpc.channel.hold();
    const release = (): void => {
      stopHolding();
      this.#places.release();
    };
    try {
      // Opening a file for writing empties it, so a request that is still queued is dropped on abort.
      await this.#places.inUse(
        this.#rpc.call("fs/open", { handleId, ...params }, { signal, untilSent: true }),
      );
    } catch (error) {
      // The server responded, although with the wrong shape: the file can be open.
      if (error instanceof ProtocolError && !isAbortReason(error, signal)) {
        void new FileHandle(this.#rpc, handleId, undefined, this.#places, release).close();
      } else release();
      throw error;
    }
    return new FileHandle(this.#rpc, handleId, signal, this.#places, release);
  }
}

/**
 * One open file on the server. It stays the same file if its path is replaced. `close` or an abort of the signal closes
 * it.
 */
export class FileHandle {
  /** The signal that the file was opened with. */
  readonly signal: AbortSignal | undefined;
  readonly #rpc: RpcPeer;
  readonly #handleId: string;
  readonly #places: HandlePlaces;
  readonly #onClosed: () => void;
  readonly #unlink: (() => void) | undefined;
  #forget: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    rpc: RpcPeer,
    handleId: string,
    signal: AbortSignal | undefined,
    places: HandlePlaces,
    onClosed: () => void,
  ) {
    this.#rpc = rpc;
    this.#handleId = handleId;
    this.signal = signal;
    this.#places = places;
    this.#onClosed = onClosed;
    this.#unlink = signal && onAbort(signal, () => void this.close());
  }

  /** Calls the listener with the error if the connection ends while the file is open, also between two calls. */
  onLost(listener: (error: Error) => void): void {
    this.#forget = this.#rpc.onEnd((failure) => listener(failureOfCall(failure, "unknown")));
  }

  /** Resolves with fewer bytes than requested only at the end of the file. */
  async read(offset: number, length: number): Promise<{ bytes: Bytes; eof: boolean }> {
    const params = { handleId: this.#handleId, offset, len: length };
    const { chunk: bytes, eof } = await this.#places.inUse(
      this.#rpc.request("fs/readBlock", params, blockSchema),
    );
    if (bytes.length > length || (bytes.length < length && !eof)) {
      throw new ProtocolError("The server sent a block of a file that is invalid, too long or too short", {
        sessionId: this.#rpc.sessionId,
        delivery: "answered",
      });
    }
    return { bytes, eof };
  }

  /** Sends nothing after an abort. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.signal?.throwIfAborted();
    const params = { handleId: this.#handleId, offset };
    await this.#places.inUse(this.#rpc.call("fs/writeBlock", params, { payload: { name: "chunk", bytes } }));
  }

  /** Closes the file; further calls share the promise. Never rejects: the end of the connection closes the file too. */
  close(): Promise<void> {
    this.#unlink?.();
    this.#forget?.();
    this.#closing ??= this.#places
      .inUse(this.#rpc.call("fs/close", { handleId: this.#handleId }, { releases: true }))
      .then(this.#onClosed, this.#onClosed);
    return this.#closing;
  }
}
