import type { Bytes } from "../../internal/bytes.ts";
import { platformClass } from "../../internal/platform.ts";
import { REPORT_MARK } from "./script.ts";

/** What the launcher has reported. */
export type LaunchReport =
  /** The program starts. */
  | {
      readonly type: "started";
      /** The process id, in the namespace of the process. */
      readonly pid: number;
      /** The device of the terminal, if the shell could name it. */
      readonly device?: string | undefined;
      /** Whether the end of the input can be sent. */
      readonly isFed: boolean;
    }
  /** The working directory or the program can't be used; `error` is the name of the system's error. */
  | { readonly type: "refused"; readonly subject: "cwd" | "program"; readonly error: string }
  /** The shell can't keep this variable. */
  | { readonly type: "lost"; readonly variable: string }
  /** The machine has no program that sets the size of a terminal. */
  | { readonly type: "size" }
  /** The end of the input is required, but can't be had. */
  | { readonly type: "unfed" }
  /** The output ended without a report. `output` is what the shell printed. */
  | { readonly type: "none"; readonly output: string };

/** The line that reports a start, as the script prints it. `about` is a device, `fed` or nothing. */
export function reportLine(pid: number, about = ""): string {
  return `${REPORT_MARK}started ${pid} ${about}\n`;
}

/** The line that the script prints to standard error before the program starts. */
export const ERROR_LINE = `${REPORT_MARK}\n`;

/** Removes the launcher's report, and whatever the shell printed before it, from the output of the program. */
export class LaunchReporter {
  readonly #onReport: (report: LaunchReport) => void;
  readonly #decoder = new (platformClass("TextDecoder"))();
  #printed = "";
  #done = false;

  /** @param onReport Called once. */
  constructor(onReport: (report: LaunchReport) => void = () => {}) {
    this.#onReport = onReport;
  }

  /** Returns the part of the chunk that belongs to the program. */
  strip(chunk: Bytes): Bytes {
    if (this.#done) return chunk;
    for (let start = 0; start < chunk.length; ) {
      const lineFeed = chunk.indexOf(0x0a, start);
      const end = lineFeed < 0 ? chunk.length : lineFeed + 1;
      this.#printed += this.#decoder.decode(chunk.subarray(start, end), { stream: true });
      start = end;
      const at = this.#printed.lastIndexOf(REPORT_MARK);
      if (lineFeed < 0 || at < 0) continue;
      this.#report(parse(this.#printed.slice(at + REPORT_MARK.length).trim()));
      return chunk.subarray(start);
    }
    return chunk.subarray(chunk.length);
  }

  /** What was printed without a report. */
  get printed(): string {
    return this.#printed.trim();
  }

  /** Called after the last output, with what was printed elsewhere. */
  end(elsewhere = ""): void {
    if (!this.#done) this.#report({ type: "none", output: this.printed || elsewhere });
  }

  #report(report: LaunchReport): void {
    this.#done = true;
    this.#printed = "";
    this.#onReport(report);
  }
}

function parse(report: string): LaunchReport {
  const [word = "", rest = ""] = report.split(/ (.*)/s);
  switch (word) {
    case "cwd":
    case "program":
      return { type: "refused", subject: word, error: rest };
    case "lost":
      return { type: "lost", variable: rest };
    case "size":
    case "unfed":
      return { type: word };
    case "started": {
      const [pid, about = ""] = rest.split(/ (.*)/s);
      const device = /^\/dev\/\S+$/.test(about) ? about : undefined;
      return { type: "started", pid: Number(pid), device, isFed: about === "fed" };
    }
    default:
      return { type: "none", output: report };
  }
}
