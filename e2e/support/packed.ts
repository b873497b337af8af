import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { packInto } from "./pack.ts";

/** A project with the packed package installed. It is inside the repository, which has the dependencies of the package. */
export const CONSUMER = join(import.meta.dirname, "../../.tmp/consumer");
export const INSTALLED = join(CONSUMER, "node_modules/exec-server-sdk");
export const TARBALL = join(CONSUMER, "package.tgz");

/** Packs the built package and unpacks it in the project, once before all tests. */
export default async function install(): Promise<void> {
  rmSync(CONSUMER, { recursive: true, force: true });
  mkdirSync(INSTALLED, { recursive: true });
  writeFileSync(join(CONSUMER, "package.json"), '{ "private": true, "type": "module" }\n');
  renameSync(join(CONSUMER, await packInto(CONSUMER)), TARBALL);
  const command = ["tar", "-xzf", TARBALL, "-C", INSTALLED, "--strip-components=1"];
  await runCommand(command, { cwd: CONSUMER, timeoutMs: 60_000 });
}

/** Runs a program in the project. Returns its output; rejects if it has not exited after 30 s. */
export async function runProgram(name: string, source: string, ...args: string[]): Promise<string> {
  const file = join(CONSUMER, name);
  writeFileSync(file, source);
  return (await runCommand([process.execPath, file, ...args], { cwd: CONSUMER, timeoutMs: 30_000 })).stdout;
}
