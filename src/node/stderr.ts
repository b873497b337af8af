import type { Readable } from "node:stream";
import { guarded } from "../internal/guarded.ts";

/** @inline */
export type StderrOption = "ignore" | "inherit" | ((line: string) => void);

/** Longer log lines are cut, so that a server that never ends a line can't fill the memory. */
const MAX_LOG_LINE = 8 * 1024;

/** Drains a log stream to its end, whatever the listener does. */
export function readLines(log: Readable, onLine: (line: string) => void): void {
  let line = "";
  const emit = (): void => {
    // The carriage return is removed here, because a read may end between it and the line feed.
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
