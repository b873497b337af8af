import { spawn } from "node:child_process";
import { once } from "node:events";
import { killGroup } from "../../src/node/process-group.ts";

const TAIL = 4_000;
/** What they tell their own processes; a user's program shall not know. */
const OF_TEST_RUNNERS = ["NODE_OPTIONS", "NODE_ENV", "FORCE_COLOR"];

export interface CommandOptions {
  readonly cwd: string;
  /** Milliseconds it may take; then it is killed with everything it has started. */
  readonly timeoutMs: number;
}

/** Runs a program to its end; rejects with the tail of its output if that is not a success. */
export async function runCommand(
  [program = "", ...args]: readonly string[],
  { cwd, timeoutMs }: CommandOptions,
): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env };
  for (const name of OF_TEST_RUNNERS) delete env[name];
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    // Whoever has left its group may keep the pipes open.
    child.once("exit", () => [child.stdout, child.stderr].map((pipe) => pipe.destroy()));
    killGroup(child, "SIGKILL");
  }, timeoutMs);
  try {
    const [code, signal] = await once(child, "close");
    if (isLate) throw new Error(`did not end within ${timeoutMs} ms`);
    if (code !== 0) throw new Error(`ended with ${signal ?? `code ${code}`}`);
    return output;
  } catch (error) {
    const tail = `${output.stdout}\n${output.stderr}`.trim().slice(-TAIL);
    throw new Error(`${[program, ...args].join(" ")}: ${(error as Error).message}\n${tail}`);
  } finally {
    clearTimeout(deadline);
  }
}
