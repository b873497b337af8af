import { UsageError } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";

/** The size of a terminal in characters, from 1 to 65535 each way. */
export interface TerminalSize {
  /** Lines. */
  readonly rows: number;
  /** Characters in a line. */
  readonly cols: number;
}

/** What the server gives a new terminal. */
export const DEFAULT_SIZE: TerminalSize = { rows: 24, cols: 80 };

/**
 * The protocol can't resize a terminal, but on a POSIX system anyone may, by the name of its device. So the program
 * is started by a shell that sets the size, prints that name as the first line of output and then becomes the program.
 * A missing program is told in the same line, because the server can't see it any more.
 */
const START_SCRIPT = `command -v "$3" >/dev/null 2>&1 || { echo missing; exit 127; }
stty rows "$1" cols "$2" 2>/dev/null
tty
shift 2
exec "$@"`;

export function startInTerminal(argv: readonly string[], { rows, cols }: TerminalSize): string[] {
  return ["/bin/sh", "-c", START_SCRIPT, "sh", String(rows), String(cols), ...argv];
}

/** Redirected input instead of an option: the option's name differs between systems. */
export function resizeTerminal(device: string, { rows, cols }: TerminalSize): string[] {
  return ["/bin/sh", "-c", 'stty rows "$1" cols "$2" < "$3"', "sh", String(rows), String(cols), device];
}

export function checkSize(size: TerminalSize): TerminalSize {
  for (const count of [size.rows, size.cols]) {
    if (!Number.isInteger(count) || count < 1 || count > 0xffff) {
      throw new UsageError(
        "ERR_INVALID_ARGUMENT",
        "rows and cols of a terminal are integers from 1 to 65535",
      );
    }
  }
  return size;
}

/** For what a terminal, or the lack of one, rules out. */
export function unsupported(message: string): UsageError {
  return new UsageError("ERR_UNSUPPORTED", message);
}

/** What the first line said. */
export type TerminalStart = { readonly device: string } | "missing-program" | "unknown";

/** Takes the first line, which is not the program's, off the output. */
export class TerminalPrelude {
  readonly #onLine: (start: TerminalStart) => void;
  readonly #decoder = new TextDecoder();
  #line = "";
  #done = false;

  constructor(onLine: (start: TerminalStart) => void) {
    this.#onLine = onLine;
  }

  /** Returns what is left of the output. */
  strip(chunk: Bytes): Bytes {
    if (this.#done) return chunk;
    const lineFeed = chunk.indexOf(0x0a);
    const head = lineFeed < 0 ? chunk : chunk.subarray(0, lineFeed);
    this.#line += this.#decoder.decode(head, { stream: true });
    if (lineFeed < 0) return chunk.subarray(chunk.length);
    this.end();
    return chunk.subarray(lineFeed + 1);
  }

  /** No more output is to come. */
  end(): void {
    if (this.#done) return;
    this.#done = true;
    const line = this.#line.trim();
    if (line === "missing") this.#onLine("missing-program");
    else this.#onLine(/^\/dev\/\S+$/.test(line) ? { device: line } : "unknown");
  }
}
