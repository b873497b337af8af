import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./command.ts";

const ROOT = join(import.meta.dirname, "../..");

/**
 * The variable with the directory in which consumers are installed. It is outside of the repository, so that consumers
 * can not resolve packages from the repository's node_modules.
 */
export const DIRECTORY_VARIABLE = "EXEC_SERVER_SDK_CONSUMERS";

/** Packs the built package once, before all tests. */
export default async function pack(): Promise<() => void> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "exec-server-sdk-consumers-")));
  process.env[DIRECTORY_VARIABLE] = directory;
  await packInto(directory);
  return () => rmSync(directory, { recursive: true, force: true });
}

/** Returns the name of the tarball. */
export async function packInto(directory: string): Promise<string> {
  const command = ["npm", "pack", "--ignore-scripts", "--loglevel", "error", "--pack-destination", directory];
  return (await runCommand(command, { cwd: ROOT, timeoutMs: 60_000 })).stdout.trim();
}
