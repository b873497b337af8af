import type { ExecEnvironment } from "exec-server-sdk";

const TIMEOUT_MS = 2_000;
const MAX_LENGTH = 80;

/**
 * The command line of a program that runs in a shell, or undefined if it only waits for input. If that can't be found
 * out, it is taken to be running one.
 */
export async function runningProgram(
  environment: ExecEnvironment,
  shell: number | undefined,
): Promise<string | undefined> {
  const unknown = "a shell";
  if (shell === undefined) return unknown;
  try {
    const { stdout } = await environment.run(["ps", "-A", "-o", "ppid=,args="], { timeoutMs: TIMEOUT_MS });
    const children = stdout.split("\n").map((line) => /^\s*(\d+)\s+(.*)$/.exec(line));
    const program = children.find((child) => Number(child?.[1]) === shell)?.[2];
    return program && (program.length > MAX_LENGTH ? `${program.slice(0, MAX_LENGTH)}…` : program);
  } catch {
    return unknown;
  }
}
