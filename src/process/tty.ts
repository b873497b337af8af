import { UsageError } from "../errors.ts";
import { invalid, received } from "../internal/arguments.ts";
import { markShared } from "../internal/operation.ts";
import { HELPER_PATH } from "./launcher/script.ts";

/** The size of a terminal in characters; both numbers are integers from 1 to 65535. */
export interface TerminalSize {
  /** Lines. */
  readonly rows: number;
  /** Characters in a line. */
  readonly cols: number;
}

/** The size that the server gives a new terminal. */
export const DEFAULT_SIZE: TerminalSize = { rows: 24, cols: 80 };

/**
 * The protocol can't resize a terminal, but on a POSIX system other processes can, by the name of its device. The device
 * is redirected input: the option of `stty` that names a device differs between systems.
 */
export function resizeTerminal(device: string, { rows, cols }: TerminalSize): string[] {
  const script = `${HELPER_PATH}; stty rows "$1" cols "$2" < "$3"`;
  return ["/bin/sh", "-c", script, "sh", String(rows), String(cols), device];
}

interface NextSize {
  size: TerminalSize;
  callers: number;
  readonly done: Promise<void>;
}

/** Changes the size of one terminal. Of the sizes that come while it is being changed only the newest is set. */
export class Resizer {
  readonly #setSize: (size: TerminalSize) => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #next: NextSize | undefined;

  constructor(setSize: (size: TerminalSize) => Promise<void>) {
    this.#setSize = setSize;
  }

  /** Resolves when this size, or a newer one in its place, has been set. */
  resize(size: TerminalSize): Promise<void> {
    if (this.#next) {
      this.#next.size = size;
      this.#next.callers++;
      return this.#next.done;
    }
    const done = this.#last.then(() => this.#setNext());
    this.#next = { size, callers: 1, done };
    this.#last = done.catch(() => {});
    return done;
  }

  async #setNext(): Promise<void> {
    const next = this.#next as NextSize;
    this.#next = undefined;
    try {
      await this.#setSize(next.size);
    } catch (error) {
      if (next.callers > 1) markShared(error);
      throw error;
    }
  }
}

export function checkSize(size: TerminalSize): TerminalSize {
  if (typeof size !== "object" || size === null)
    return invalid(`The size of a terminal must be an object with rows and cols, got ${received(size)}`);
  for (const name of ["rows", "cols"] as const) {
    const count = size[name];
    if (!Number.isInteger(count) || count < 1 || count > 0xffff)
      return invalid(`${name} must be an integer from 1 to 65535, got ${received(count)}`);
  }
  return size;
}

/** The error for an operation or option that this server, or a process with or without a terminal, does not support. */
export function unsupported(message: string): UsageError {
  return new UsageError("ERR_UNSUPPORTED", message);
}
