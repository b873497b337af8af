import { invalid, received } from "../internal/arguments.ts";
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

/** @param prefix Of the names in errors, such as `"tty."`. */
export function checkSize(size: TerminalSize, prefix = ""): TerminalSize {
  if (typeof size !== "object" || size === null)
    return invalid(`The size of a terminal must be an object with rows and cols, got ${received(size)}`);
  for (const name of ["rows", "cols"] as const) {
    const count = size[name];
    if (!Number.isInteger(count) || count < 1 || count > 0xffff)
      return invalid(`${prefix}${name} must be an integer from 1 to 65535, got ${received(count)}`);
  }
  return size;
}
