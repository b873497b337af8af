import { sendSignal } from "../process/signals.ts";
import { resizeTerminal, type TerminalSize } from "../process/tty.ts";

/**
 * The client resizes terminals and sends signals with helper commands. These functions recognise them, so that a test
 * only sees the programs of the app.
 */

/** The device and the new size, for a command that resizes a terminal. */
export function resizeOf(argv: readonly string[]): { device: string; size: TerminalSize } | undefined {
  const [, , , , rows, cols, device = ""] = argv;
  const size = { rows: Number(rows), cols: Number(cols) };
  return isSame(argv, resizeTerminal(device, size)) ? { device, size } : undefined;
}

/** The process id and the name without `SIG`, for a command that sends a signal. */
export function signalOf(argv: readonly string[]): { pid: number; name: string } | undefined {
  const [, , , , name = "", pid] = argv;
  return isSame(argv, sendSignal(Number(pid), name)) ? { pid: Number(pid), name } : undefined;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((arg, at) => arg === other[at]);
}
