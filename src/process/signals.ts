import { invalid, received } from "../internal/arguments.ts";
import { HELPER_PATH } from "./launcher/script.ts";

/** The signals that every POSIX system has. Real-time signals have no portable name. */
const SIGNALS =
  "ABRT ALRM BUS CHLD CONT FPE HUP ILL INT KILL PIPE PROF QUIT SEGV STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ".split(
    " ",
  );

/** The name of a signal without `SIG`. Throws a UsageError for any other value. */
export function signalName(signal: string): string {
  const name = SIGNALS.find((known) => signal === `SIG${known}`);
  return (
    name ?? invalid(`signal must be the name of a POSIX signal, such as "SIGTERM", got ${received(signal)}`)
  );
}

/**
 * The command that sends a signal to a process and its group, if it leads one. A process that no longer exists is no
 * error: it has exited meanwhile.
 */
export function sendSignal(pid: number, name: string): string[] {
  const script = `${HELPER_PATH}; kill -s "$1" -- "-$2" 2>/dev/null || kill -s "$1" "$2" || ! { kill -0 "$2" || [ -e "/proc/$2" ]; }`;
  return ["/bin/sh", "-c", script, "sh", name, String(pid)];
}
