import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface ProgramEnd {
  readonly code: number | null;
  /** All it said, on both outputs. */
  readonly text: string;
}

/** Longer without a word means that it hangs. */
const MAX_SILENCE_MS = 120_000;

/**
 * Runs a program of the tests in a process of its own, where memory, handles and unhandled rejections are its own, too.
 *
 * @param file Below the root of the project.
 * @param onText Hears what it says while it runs.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  { env = {}, onText }: { env?: Readonly<Record<string, string>>; onText?: (text: string) => void } = {},
): Promise<ProgramEnd> {
  const child = spawn(process.execPath, ["--expose-gc", "--import", "tsx", file, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    // Loaders of the test runner are none of its business.
    env: { ...process.env, NODE_OPTIONS: "", ...env },
  });
  let text = "";
  const hear = (piece: string): void => {
    text += piece;
    onText?.(piece);
    silence.refresh();
  };
  const silence = setTimeout(() => {
    hear(`\nnothing was said for ${MAX_SILENCE_MS} ms: it hangs\n`);
    child.kill("SIGKILL");
  }, MAX_SILENCE_MS);
  for (const output of [child.stdout, child.stderr]) output.setEncoding("utf8").on("data", hear);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(silence);
  return { code, text };
}
