import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CODEX_VERSION, codexBinary } from "../support/exec-server.ts";

const run = promisify(execFile);
const PACKAGE = "@openai/codex";
const CACHE = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "exec-server-sdk/servers");

/** The binary of one version of the server. Any version but that of this checkout is installed into a cache of the user. */
export async function installServer(version: string): Promise<string> {
  if (version === CODEX_VERSION) return codexBinary();
  const directory = join(CACHE, version);
  if (!existsSync(join(directory, "node_modules"))) {
    mkdirSync(CACHE, { recursive: true });
    // Another run may be installing the same version.
    const temporary = mkdtempSync(join(CACHE, ".new-"));
    writeFileSync(join(temporary, "package.json"), '{ "private": true }\n');
    const flags = ["--no-package-lock", "--ignore-scripts", "--prefer-offline", "--loglevel", "error"];
    await run("npm", ["install", ...flags, `${PACKAGE}@${version}`], { cwd: temporary });
    rmSync(directory, { recursive: true, force: true });
    renameSync(temporary, directory);
  }
  return codexBinary(join(directory, "package.json"));
}

/** A home for a server. Servers before 0.162 start no sandbox with a home among the temporary files. */
export function makeServerHome(): string {
  mkdirSync(CACHE, { recursive: true });
  return mkdtempSync(join(CACHE, ".home-"));
}

/** The newest version on the registry; undefined if the registry can't be reached. */
export async function newestVersion(): Promise<string | undefined> {
  try {
    return (await run("npm", ["view", PACKAGE, "version"], { timeout: 30_000 })).stdout.trim();
  } catch {
    return undefined;
  }
}
