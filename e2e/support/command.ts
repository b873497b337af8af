import { spawn } from "node:child_process";
import { once } from "node:events";
import { killGroup } from "../../src/node/process-group.ts";

/** Characters of output that an error shows. */
const MAX_SHOWN_OUTPUT = 4_000;
/** Variables that test runners set for their processes. They must not reach a program under test. */
const TEST_RUNNER_VARIABLES = ["NODE_OPTIONS", "NODE_ENV", "FORCE_COLOR"];

export interface CommandOptions {
  readonly cwd: string;
  /** Deadline in milliseconds, after which the program and its descendants are killed. */
  readonly timeoutMs: number;
  /** Further variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program. Rejects with the tail of its output if it fails or does not exit in time. */
export async function runCommand(
  [program = "", ...args]: readonly string[],
  { cwd, timeoutMs, env: further }: CommandOptions,
): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, ...further };
  for (const name of TEST_RUNNER_VARIABLES) delete env[name];
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  let isTimedOut = false;
  const deadline = setTimeout(() => {
    isTimedOut = true;
    // A descendant outside of the process group can keep the pipes open.
    child.once("exit", () => [child.stdout, child.stderr].map((pipe) => pipe.destroy()));
    killGroup(child, "SIGKILL");
  }, timeoutMs);
  try {
    const [code, signal] = await once(child, "close");
    if (isTimedOut) throw new Error(`timed out after ${timeoutMs} ms`);
    if (code !== 0) throw new Error(`exited with ${signal ?? `code ${code}`}`);
    return output;
  } catch (error) {
    const tail = `${output.stdout}\n${output.stderr}`.trim().slice(-MAX_SHOWN_OUTPUT);
    throw new Error(`${[program, ...args].join(" ")}: ${(error as Error).message}\n${tail}`);
  } finally {
    clearTimeout(deadline);
  }
}
