import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./command.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Where consumers are installed: outside of the repository, so that none finds a package of its. */
export const WORKSHOP = "EXEC_SERVER_SDK_CONSUMERS";

/** Packs the built package once, before all tests. */
export default async function pack(): Promise<() => void> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "exec-server-sdk-consumers-")));
  process.env[WORKSHOP] = directory;
  await packInto(directory);
  return () => rmSync(directory, { recursive: true, force: true });
}

/** Returns the name of the tarball. */
export async function packInto(directory: string): Promise<string> {
  const command = ["npm", "pack", "--ignore-scripts", "--loglevel", "error", "--pack-destination", directory];
  return (await runCommand(command, { cwd: ROOT, timeoutMs: 60_000 })).stdout.trim();
}
