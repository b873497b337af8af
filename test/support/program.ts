import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface ProgramEnd {
  readonly code: number | null;
  /** The text of stdout and stderr. */
  readonly text: string;
}

/** A program without output for longer than this counts as hanging. */
const MAX_SILENCE_MS = 120_000;

/**
 * Runs a test program in its own process, with its own memory, handles and unhandled rejections.
 *
 * @param file Path relative to the root of the project.
 * @param onText Called with each chunk of output while the program runs.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  { env = {}, onText }: { env?: Readonly<Record<string, string>>; onText?: (text: string) => void } = {},
): Promise<ProgramEnd> {
  const child = spawn(process.execPath, ["--expose-gc", "--import", "tsx", file, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    // The program must not use the module loaders of the test runner.
    env: { ...process.env, NODE_OPTIONS: "", ...env },
  });
  let text = "";
  const append = (chunk: string): void => {
    text += chunk;
    onText?.(chunk);
    silence.refresh();
  };
  const silence = setTimeout(() => {
    append(`\nno output for ${MAX_SILENCE_MS} ms: the program hangs\n`);
    child.kill("SIGKILL");
  }, MAX_SILENCE_MS);
  for (const output of [child.stdout, child.stderr]) output.setEncoding("utf8").on("data", append);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(silence);
  return { code, text };
}
