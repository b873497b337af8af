import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { makeCodexHome } from "../../test/support/exec-server.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The examples: those of the repository, or copies that a test has installed elsewhere. */
export const EXAMPLES = process.env["EXAMPLES_DIRECTORY"] ?? join(ROOT, "examples");

/** The words of a command that runs a program of the examples, from any working directory. */
export function exampleCommand(name: string): string[] {
  const file = join(EXAMPLES, name);
  const tsx = pathToFileURL(createRequire(file).resolve("tsx"));
  return [process.execPath, "--import", String(tsx), file];
}

/** Starts a program of the examples in its folder, as the comment at its top describes. */
export function startExample(
  name: string,
  args: readonly string[],
  {
    stdio = ["ignore", "pipe", "inherit"],
    env = {},
  }: { stdio?: StdioOptions; env?: Record<string, string> } = {},
): ChildProcess {
  const [program = "", ...words] = exampleCommand(name);
  return spawn(program, [...words, ...args], {
    cwd: dirname(join(EXAMPLES, name)),
    env: { ...process.env, CODEX_HOME: makeCodexHome(), ...env },
    stdio,
  });
}

/** Runs a program of the examples to its end. */
export async function outputOfExample(
  name: string,
  ...args: string[]
): Promise<{ code: number; lines: string[] }> {
  const child = startExample(name, args);
  const exited = once(child, "exit") as Promise<[number | null]>;
  const lines: string[] = [];
  if (child.stdout) for await (const line of createInterface(child.stdout)) lines.push(line);
  return { code: (await exited)[0] ?? -1, lines };
}
