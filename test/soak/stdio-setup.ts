import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { codexBinary, makeCodexHome } from "../support/exec-server.ts";
import type { NodeSdk } from "../support/sdk.ts";
import { pauseFaults } from "./faults.ts";
import type { Fault, LocalSetup } from "./setup.ts";

const ARGS = ["exec-server", "--listen", "stdio", "--concurrent-requests", "8"];

/** Each client spawns its own server as a child process. */
export async function stdioSetup(node: NodeSdk): Promise<LocalSetup> {
  const home = makeCodexHome();
  const children = new Set<ChildProcess>();
  let dials = 0;
  const onChild = (message: unknown): void => {
    const { process: child } = message as { process: ChildProcess };
    // `spawnargs` is set only once `spawn` has returned.
    process.nextTick(() => {
      if (!child.spawnargs.includes("stdio")) return;
      dials++;
      children.add(child);
      child.once("exit", () => children.delete(child));
    });
  };
  subscribe("child_process", onChild);
  const pid = (): number | undefined => [...children].at(-1)?.pid;
  const killed = (signal: NodeJS.Signals): Fault => ({
    disconnects: true,
    inject: () => void [...children].at(-1)?.kill(signal),
  });
  return {
    name: "stdio",
    isReconnectable: false,
    canPing: false,
    faults: {
      "the child is killed": killed("SIGKILL"),
      "the child is terminated": killed("SIGTERM"),
      ...pauseFaults(pid),
    },
    transport: () => node.stdio({ command: codexBinary(), args: ARGS, env: { CODEX_HOME: home } }),
    get dials() {
      return dials;
    },
    get open() {
      return children.size;
    },
    get pid() {
      return pid();
    },
    async renew() {},
    async [Symbol.asyncDispose]() {
      unsubscribe("child_process", onChild);
    },
  };
}
