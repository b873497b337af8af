import type { Readable } from "node:stream";
import { guarded } from "../internal/guarded.ts";

/** @inline */
export type StderrOption = "ignore" | "inherit" | ((line: string) => void);

/** Longest log line in characters. The rest is dropped, so that a line without an end can't fill the memory. */
const MAX_LOG_LINE = 8 * 1024;

/** Reads a log stream to its end, also if the listener throws. */
export function readLines(log: Readable, onLine: (line: string) => void): void {
  let line = "";
  const emit = (): void => {
    // Removed here, not in the split: a read can end between the carriage return and the line feed.
    if (line.endsWith("\r")) line = line.slice(0, -1);
    if (line !== "") guarded(onLine, line);
    line = "";
  };
  log.setEncoding("utf8");
  log.on("data", (text: string) => {
    const [first = "", ...others] = text.split("\n");
    line = (line + first).slice(0, MAX_LOG_LINE);
    for (const next of others) {
      emit();
      line = next.slice(0, MAX_LOG_LINE);
    }
  });
  log.on("error", () => {});
  log.on("end", emit);
}
