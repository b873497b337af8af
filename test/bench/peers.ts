import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder that has the peers installed, which the root's `npm ci` does not do: from a lockfile of their own, when it
 * has changed. Without optional packages: `ws` would change its ways if one of its add-ons came along with somebody else.
 */
export function installedPeers(): string {
  const folder = join(import.meta.dirname, "peers");
  const changedAt = (file: string): number =>
    statSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changedAt("node_modules/.package-lock.json") < changedAt("package-lock.json")) {
    console.error("Installing the peers to compare with …");
    execFileSync("npm", ["ci", "--prefix", folder, "--ignore-scripts", "--omit=optional"], {
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    });
  }
  return folder;
}
