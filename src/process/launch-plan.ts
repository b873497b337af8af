import { unsupported } from "../internal/arguments.ts";
import { shownText } from "../internal/operation.ts";
import type { SandboxContext } from "../protocol/sandbox.ts";
import type { LaunchSetup } from "./launcher/launch.ts";
import type { StartOptions } from "./options.ts";
import { DEFAULT_SIZE } from "./tty.ts";

/** How a process is started. */
export interface LaunchPlan {
  /** What the launcher sets up; undefined if the server starts the program itself. */
  readonly setup: LaunchSetup | undefined;
  /** Whether the program may also be started without the launcher, where that can't run. */
  readonly isOptional: boolean;
  /** Why the process can't be signalled; undefined if it can be. */
  readonly noSignals: string | undefined;
  /** Why the input can't be ended, unless the launcher feeds it. */
  readonly noInputEnd: string;
}

/** The launcher of an optional start can't run. The program has not been started. */
export class LauncherUnavailable extends Error {
  readonly reason: string;

  /** @param reason Why, for errors of what then can't be done. */
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * @param requiresEnd Whether the end of the input is required.
 * @throws UsageError `ERR_UNSUPPORTED` for options that require what this server or sandbox does not have.
 */
export function launchPlan(options: StartOptions, isPosix: boolean, requiresEnd = false): LaunchPlan {
  const { tty, stdin, signals, overflow } = options;
  const noLauncher = launcherObstacle(options, isPosix);
  const noSignals =
    noLauncher ?? (restricts(options.sandbox) ? "a sandbox has process ids of its own" : undefined);
  if (signals && noSignals) unsupported(`signals: true is not possible: ${noSignals}`);
  if (overflow === "pause" && noSignals) unsupported(`overflow: "pause" is not possible: ${noSignals}`);
  if (requiresEnd && noLauncher) unsupported(`the end of the input can't be sent: ${noLauncher}`);
  if (noLauncher) return withoutLauncher(noLauncher);
  if (tty) {
    const setup = { type: "terminal", size: tty === true ? DEFAULT_SIZE : tty } as const;
    return { setup, isOptional: false, noSignals, noInputEnd: 'a terminal has none: write "\\x04"' };
  }
  const isRequired = signals || overflow === "pause" || requiresEnd;
  if (!isRequired && stdin !== "pipe") return withoutLauncher("it was not started with signals: true");
  if (!isRequired && signals === false) return withoutLauncher("it was started with signals: false");
  const input = requiresEnd ? "require" : stdin === "pipe" ? "feed" : "";
  return {
    setup: { type: "pipes", input },
    isOptional: !isRequired,
    noSignals,
    noInputEnd: "a fifo could not be made there",
  };
}

/** The plan for a start of the program by the server itself. */
export function withoutLauncher(reason: string): LaunchPlan {
  return { setup: undefined, isOptional: false, noSignals: reason, noInputEnd: reason };
}

/** Why the launcher can't start a process. */
function launcherObstacle(
  { tty, arg0, overflow, env, envPolicy }: StartOptions,
  isPosix: boolean,
): string | undefined {
  // With a terminal, server 0.169.0 runs the program that arg0 names.
  if (tty && arg0 !== undefined) unsupported("arg0 can't be combined with tty");
  if (tty && overflow === "pause") unsupported('overflow: "pause" can\'t be combined with tty');
  if (typeof tty === "object" && !isPosix) {
    unsupported("A terminal size requires a POSIX server: pass tty: true");
  }
  if (!isPosix) return "it requires a POSIX server";
  if (arg0 !== undefined) return "the option arg0 excludes it";
  // The script of the launcher takes it for a line feed.
  const altered = Object.entries({ ...envPolicy?.set, ...env }).find(([, value]) =>
    value?.includes("\u0001"),
  );
  if (!altered) return undefined;
  const reason = `the variable ${shownText(altered[0])} has a control character that a shell can't pass on`;
  return tty ? unsupported(reason) : reason;
}

/** Whether a process in this sandbox has a namespace of process ids of its own. */
function restricts(sandbox: SandboxContext | null | undefined): boolean {
  const permissions = sandbox?.permissions;
  if (permissions?.type !== "managed") return false;
  return permissions.network !== "enabled" || permissions.file_system.type !== "unrestricted";
}
