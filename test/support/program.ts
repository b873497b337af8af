import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface ProgramEnd {
  readonly code: number | null;
  /** The text of stdout and stderr. */
  readonly text: string;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each chunk of output while the program runs. */
  readonly onText?: (text: string) => void;
  /** Milliseconds without output after which the program counts as hanging. @default 120_000 */
  readonly maxSilenceMs?: number;
}

const MAX_SILENCE_MS = 120_000;

/**
 * Runs a test program in its own process, with its own memory, handles and unhandled rejections.
 *
 * @param file Path relative to the root of the project.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  { env = {}, onText, maxSilenceMs = MAX_SILENCE_MS }: ProgramOptions = {},
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
    append(`\nno output for ${maxSilenceMs} ms: the program hangs\n`);
    child.kill("SIGKILL");
  }, maxSilenceMs);
  for (const output of [child.stdout, child.stderr]) output.setEncoding("utf8").on("data", append);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(silence);
  return { code, text };
}
