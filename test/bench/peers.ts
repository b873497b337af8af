import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

/**
 * Returns the folder with the installed peers, which the `npm ci` of the root does not install. Installs them when their
 * lockfile has changed, without optional packages: an add-on of `ws` would change its behaviour.
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
