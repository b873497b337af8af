import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder that has the peers installed, which the root's `npm ci` does not do: from a lockfile of their own, on first use. */
export function installedPeers(): string {
  const folder = join(import.meta.dirname, "peers");
  if (!existsSync(join(folder, "node_modules"))) {
    console.error("Installing the peers to compare with …");
    execFileSync("npm", ["ci", "--prefix", folder, "--ignore-scripts"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return folder;
}
