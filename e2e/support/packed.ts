import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { packInto } from "./pack.ts";

/** A project that has the packed package installed. It is inside this one, which has what the package depends on. */
export const CONSUMER = join(import.meta.dirname, "../../.tmp/consumer");
export const INSTALLED = join(CONSUMER, "node_modules/exec-server-sdk");
export const TARBALL = join(CONSUMER, "package.tgz");

/** Packs what was built and unpacks it there, once before all tests. */
export default async function install(): Promise<void> {
  rmSync(CONSUMER, { recursive: true, force: true });
  mkdirSync(INSTALLED, { recursive: true });
  writeFileSync(join(CONSUMER, "package.json"), '{ "private": true, "type": "module" }\n');
  renameSync(join(CONSUMER, await packInto(CONSUMER)), TARBALL);
  const command = ["tar", "-xzf", TARBALL, "-C", INSTALLED, "--strip-components=1"];
  await runCommand(command, { cwd: CONSUMER, timeoutMs: 60_000 });
}
