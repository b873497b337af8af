import { linkedController, untilAborted } from "../internal/abort.ts";
import type { FileHandle } from "./handles.ts";

/** A file that is open for as long as its bytes are on their way: opened by the first step, closed whatever happens. */
export class Transfer<Blocks> {
  readonly #open: (signal: AbortSignal) => Promise<FileHandle>;
  readonly #blocksOf: (handle: FileHandle) => Blocks;
  readonly #stop: ReturnType<typeof linkedController>;
  #opened: Promise<{ handle: FileHandle; blocks: Blocks }> | undefined;

  constructor(
    open: (signal: AbortSignal) => Promise<FileHandle>,
    blocksOf: (handle: FileHandle) => Blocks,
    signal: AbortSignal | undefined,
  ) {
    this.#open = open;
    this.#blocksOf = blocksOf;
    this.#stop = linkedController(signal);
  }

  /** Aborts when the transfer is given up, by whomever. */
  get signal(): AbortSignal {
    return this.#stop.controller.signal;
  }

  /** Does a part of the work; rejects at once when the transfer is given up. A failure ends the transfer. */
  async step<T>(work: (blocks: Blocks) => Promise<T>): Promise<T> {
    try {
      this.#opened ??= this.#openFile();
      const { blocks } = await this.#opened;
      return await untilAborted(work(blocks), this.signal);
    } catch (error) {
      void this.finish();
      throw error;
    }
  }

  /** Gives the transfer up. */
  abort(reason: unknown): void {
    this.#stop.controller.abort(reason);
    void this.finish();
  }

  /** Resolves when the file is closed. */
  async finish(): Promise<void> {
    this.#stop.unlink();
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.handle.close();
  }

  async #openFile(): Promise<{ handle: FileHandle; blocks: Blocks }> {
    const handle = await this.#open(this.signal);
    return { handle, blocks: this.#blocksOf(handle) };
  }
}

/** Lets whatever ended a write tell how much of it had arrived. */
export function withBytesWritten(error: unknown, bytesWritten: number): unknown {
  if (error instanceof Error && Object.isExtensible(error)) {
    Object.defineProperty(error, "bytesWritten", { value: bytesWritten, configurable: true });
  }
  return error;
}
