import { toNativePath } from "../../protocol/path-uri.ts";
import type { EnvPolicy, ProcessStartParams } from "../../protocol/process.ts";
import type { TerminalSize } from "../tty.ts";
import { LAUNCHER } from "./script.ts";

/** The number of arguments of the script before the program. */
const OWN_ARGUMENTS = 6;

/** The TERM of a terminal whose environment has none. */
const TERM = "xterm-256color";

/** Variables that a shell may reset, so that their presence proves nothing. */
const RESET_BY_SHELLS = /^(IFS|OPTIND|PS4|RANDOM|SECONDS|LINENO|PPID|E?UID|SHELLOPTS|BASHOPTS)$/;

/** Variables that the server or a shell adds. Where the environment is exact, they are removed. */
const ADDED = ["SHELL", "PWD", "OLDPWD", "SHLVL", "_"];

/** What the launcher sets up: a terminal of this size, or pipes. */
export type LaunchSetup =
  | { readonly type: "terminal"; readonly size: TerminalSize }
  | {
      readonly type: "pipes";
      /** Whether the end of the input can be sent: not at all, where possible, or else there is no start. */
      readonly input: "" | "feed" | "require";
    };

/** The command that starts the program through the launcher. */
export function launch(
  { argv, cwd, env, envPolicy }: Pick<ProcessStartParams, "argv" | "cwd" | "env" | "envPolicy">,
  setup: LaunchSetup,
): string[] {
  const given = { ...envPolicy?.set, ...env };
  const mayBeLost = Object.keys(given).filter(
    (name) => RESET_BY_SHELLS.test(name) || !/^[A-Za-z_]\w*$/.test(name),
  );
  const isTerminal = setup.type === "terminal";
  const [rows, cols] = isTerminal ? [setup.size.rows, setup.size.cols] : ["", setup.input];
  const removed = (envPolicy ? ADDED.slice(0, isTerminal ? 1 : 0) : ADDED).filter(
    (name) => !Object.hasOwn(given, name) && (!envPolicy || !inherits(envPolicy, name)),
  );
  // A path that is not UTF-8 has no native form, so it is not checked.
  const native = toNativePath(cwd);
  return [
    ...LAUNCHER,
    String(rows),
    String(cols),
    native.startsWith("/") ? native : ".",
    // A null policy makes env the exact environment.
    envPolicy && isTerminal ? TERM : "",
    mayBeLost.join("="),
    removed.map((name) => `${name}=`).join(""),
    ...argv,
  ];
}

/** The program and the setup of a command that `launch` made; undefined for any other command. */
export function launched(argv: readonly string[]): { argv: string[]; setup: LaunchSetup } | undefined {
  if (!LAUNCHER.every((word, at) => argv[at] === word)) return undefined;
  const [rows, cols = ""] = argv.slice(LAUNCHER.length);
  return {
    argv: argv.slice(LAUNCHER.length + OWN_ARGUMENTS),
    setup: rows
      ? { type: "terminal", size: { rows: Number(rows), cols: Number(cols) } }
      : { type: "pipes", input: cols as "" },
  };
}

/** Whether a process can have inherited this variable, which is none that looks like a secret. */
function inherits({ inherit, exclude = [], includeOnly = [] }: EnvPolicy, name: string): boolean {
  const isOneOf = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => {
      const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
      return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "i").test(name);
    });
  return inherit !== "none" && !isOneOf(exclude) && (includeOnly.length === 0 || isOneOf(includeOnly));
}
