import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Listener, Notified, RpcClient } from "../rpc-client.ts";

/** A library that somebody might use instead. */
export interface Peer {
  readonly name: string;
  connect(url: string): Promise<RpcClient>;
}

const HOME = join(import.meta.dirname, "..");

/** Loads a library that only the benchmarks use; the first time it installs them all. */
export async function load<Module>(name: string): Promise<Module> {
  if (!existsSync(join(HOME, "node_modules/.package-lock.json"))) install();
  return (await import(name)) as Module;
}

/** Without optional packages: `ws` would change its ways if one of its add-ons came along with somebody else. */
function install(): void {
  console.error("Installing the libraries to compare with, this once …");
  const args = ["ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", args, {
    cwd: HOME,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error("npm could not install them");
}

/** The session of a client: `notify` sends what has no answer. */
export async function initialize(
  name: string,
  call: RpcClient["call"],
  notify: (method: string, params: object) => unknown,
): Promise<void> {
  await call("initialize", { clientName: name, resumeSessionId: null });
  await notify("initialized", {});
}

/** Brings a notification to whom it is about. */
export function pass(listeners: Map<string, Listener>, method: string, params: unknown): void {
  const { processId, requestId } = params as Notified;
  listeners.get(processId ?? requestId ?? "")?.(method, params as Notified);
}
