import { UsageError } from "../errors.ts";
import { invalid, received } from "../internal/arguments.ts";
import type { Bytes } from "../internal/bytes.ts";
import { platformClass } from "../internal/platform.ts";

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
 * The protocol can't resize a terminal, but on a POSIX system other processes can, by the name of its device. So a shell
 * sets the size, prints that name as the first line of output and then executes the program. The server sees only the
 * shell, so a missing program is reported in the same line.
 */
const START_SCRIPT = `command -v "$3" >/dev/null 2>&1 || { echo missing; exit 127; }
stty rows "$1" cols "$2" 2>/dev/null
tty
shift 2
exec "$@"`;

export function startInTerminal(argv: readonly string[], { rows, cols }: TerminalSize): string[] {
  return ["/bin/sh", "-c", START_SCRIPT, "sh", String(rows), String(cols), ...argv];
}

/** The device is redirected input: the option of `stty` that names a device differs between systems. */
export function resizeTerminal(device: string, { rows, cols }: TerminalSize): string[] {
  return ["/bin/sh", "-c", 'stty rows "$1" cols "$2" < "$3"', "sh", String(rows), String(cols), device];
}

export function checkSize(size: TerminalSize): TerminalSize {
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

/** The content of the first line. */
export type TerminalStart = { readonly device: string } | "missing-program" | "unknown";

/** Removes the first line, which the shell printed, from the output of the program. */
export class TerminalPrelude {
  readonly #onLine: (start: TerminalStart) => void;
  readonly #decoder = new (platformClass("TextDecoder"))();
  #line = "";
  #done = false;

  constructor(onLine: (start: TerminalStart) => void) {
    this.#onLine = onLine;
  }

  /** Returns the part of the chunk that belongs to the program. */
  strip(chunk: Bytes): Bytes {
    if (this.#done) return chunk;
    const lineFeed = chunk.indexOf(0x0a);
    const head = lineFeed < 0 ? chunk : chunk.subarray(0, lineFeed);
    this.#line += this.#decoder.decode(head, { stream: true });
    if (lineFeed < 0) return chunk.subarray(chunk.length);
    this.end();
    return chunk.subarray(lineFeed + 1);
  }

  /** Called after the last output: reports a line without a line feed as it is. */
  end(): void {
    if (this.#done) return;
    this.#done = true;
    const line = this.#line.trim();
    if (line === "missing") this.#onLine("missing-program");
    else this.#onLine(/^\/dev\/\S+$/.test(line) ? { device: line } : "unknown");
  }
}
