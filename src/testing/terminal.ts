import { launched } from "../process/launcher/launch.ts";
import { resizeTerminal, type TerminalSize } from "../process/tty.ts";

/**
 * The client sets a terminal's size with helper commands around the requested program. These functions recognise the
 * helpers, so that a test only sees the program.
 */

/** The program and the size of a start in a terminal; undefined for any other start. */
export function terminalStart(argv: readonly string[]): { argv: string[]; size: TerminalSize } | undefined {
  return launched(argv);
}

/** The device and the size of a resize; undefined for any other start. */
export function terminalResize(argv: readonly string[]): { device: string; size: TerminalSize } | undefined {
  const [, , , , rows, cols, device = ""] = argv;
  const size = { rows: Number(rows), cols: Number(cols) };
  return isSame(argv, resizeTerminal(device, size)) ? { device, size } : undefined;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((arg, at) => arg === other[at]);
}
