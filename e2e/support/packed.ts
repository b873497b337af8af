import { execFile } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../..");

/** A project that has the packed package installed. It is inside this one, which has what the package depends on. */
export const CONSUMER = join(ROOT, ".tmp/consumer");
export const INSTALLED = join(CONSUMER, "node_modules/exec-server-sdk");
export const TARBALL = join(CONSUMER, "package.tgz");

/** Packs what was built and installs it, once before all tests. */
export default async function pack(): Promise<void> {
  rmSync(CONSUMER, { recursive: true, force: true });
  mkdirSync(INSTALLED, { recursive: true });
  writeFileSync(join(CONSUMER, "package.json"), '{ "private": true, "type": "module" }\n');
  const run = promisify(execFile);
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", CONSUMER];
  const { stdout } = await run("npm", args, { cwd: ROOT });
  const [packed] = JSON.parse(stdout) as [{ readonly filename: string }];
  renameSync(join(CONSUMER, packed.filename), TARBALL);
  await run("tar", ["-xzf", TARBALL, "-C", INSTALLED, "--strip-components=1"]);
}
