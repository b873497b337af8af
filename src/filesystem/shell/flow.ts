import { iterate } from "../../internal/byte-stream.ts";
import { unobserved } from "../../internal/deferred.ts";
import { TextLines } from "../../internal/text-lines.ts";
import type { ShellProcess } from "../file-session.ts";
import { RAN } from "./run-script.ts";

/** The most that the script prints for one line of its input. */
const GRANT = 4 * 1024 * 1024;

/** Bytes that may wait for the reader. Far below the limit beyond which the output of a process fails. */
const MAX_UNREAD = 32 * 1024 * 1024;

/** The most of the standard error that is kept: its end. */
const MAX_STDERR = 64 * 1024;

/** What `dd` reports: how many records, some of them short, and how many bytes. */
const REPORT = /^(?:\d+\+\d+ records (?:in|out)|dd: warning: .*|(\d+) bytes .*)$/;

/** Lets a script print only as much as its reader takes. */
export class Flow {
  readonly #packing: ShellProcess;
  /** Grants that the script has not reported as used. */
  #granted = 0;
  #unread = 0;
  #hasRun = false;

  constructor(packing: ShellProcess) {
    this.#packing = packing;
    this.#grant();
  }

  /** Whether the script has begun. */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  /** The reader has taken this many bytes. */
  consumed(bytes: number): void {
    this.#unread -= bytes;
    this.#grant();
  }

  /** Follows the script's reports to its end. Returns what else it has written to standard error. */
  async readErrors(): Promise<string> {
    let errors = "";
    const lines = new TextLines();
    for await (const chunk of iterate(this.#packing.stderr)) {
      for (const line of lines.push(chunk)) {
        const [report, bytes] = REPORT.exec(line) ?? [];
        if (line === RAN) this.#hasRun = true;
        else if (report === undefined) errors = `${errors}${line}\n`.slice(-MAX_STDERR);
        else if (bytes !== undefined) this.#used(Number(bytes));
      }
    }
    return errors + lines.rest;
  }

  #used(bytes: number): void {
    this.#granted--;
    this.#unread += bytes;
    this.#grant();
  }

  #grant(): void {
    while (this.#unread + (this.#granted + 1) * GRANT <= MAX_UNREAD) {
      this.#granted++;
      // A script that has ended needs no more.
      void unobserved(this.#packing.write("\n"));
    }
  }
}
