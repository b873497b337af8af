import type { ServerErrorKind } from "../errors/server.ts";
import type { Bytes } from "../internal/bytes.ts";
import { TextLines } from "../internal/text-lines.ts";
import { kindOfText } from "../rpc/errors.ts";

/** A problem of a connection, in the words of the system. */
export interface Problem {
  readonly text: string;
  readonly kind: ServerErrorKind | undefined;
}

/** What a relay reports. */
export interface ReportListener {
  /** The TCP connection is established. */
  opened(): void;
  /** The next frame was passed on, or the end. */
  passed(): void;
  /** The other side has ended, after this many bytes. */
  ended(bytes: number): void;
  failed(problem: Problem): void;
}

/** A line of a relay's standard error: those of the framed relays, then those of socat, dd and nc. */
const PASSED = /^\.$|socket 1 .* is at EOF$/;
const OPENED = /^o$|starting data transfer loop|succeeded!$/;
const ENDED = /^(\d+) bytes/;
const SOCAT_RECEIVED = /transferred (\d+) bytes from \d+ to 1$/;
const SOCAT_ENDED = /socket 2 .* is at EOF$/;

/** Reads the standard error of a relay, line by line. */
export class RelayReport {
  readonly #listener: ReportListener;
  readonly #lines = new TextLines();
  #received = 0;

  constructor(listener: ReportListener) {
    this.#listener = listener;
  }

  accept(chunk: Bytes): void {
    for (const line of this.#lines.push(chunk)) this.#accept(line);
  }

  #accept(line: string): void {
    const listener = this.#listener;
    const [received] = SOCAT_RECEIVED.exec(line)?.slice(1) ?? [];
    const [ended, bytes] = ENDED.exec(line) ?? SOCAT_ENDED.exec(line) ?? [];
    const kind = kindOfText(line);
    if (PASSED.test(line)) listener.passed();
    else if (OPENED.test(line)) listener.opened();
    else if (received !== undefined) this.#received += Number(received);
    else if (ended !== undefined) listener.ended(bytes === undefined ? this.#received : Number(bytes));
    // Other lines of a tool are no errors of the connection.
    else if (kind || line.startsWith("!")) listener.failed({ text: wordsOf(line), kind });
  }
}

/** The system's words, which stand behind the address. */
function wordsOf(line: string): string {
  return line
    .slice(line.lastIndexOf(": ") + 1)
    .replace("!", "")
    .trim();
}
