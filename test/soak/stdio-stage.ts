import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { codexBinary, makeCodexHome } from "../support/exec-server.ts";
import type { NodeSdk } from "../support/sdk.ts";
import { pauses } from "./faults.ts";
import type { Fault, Stage } from "./stage.ts";

const ARGS = ["exec-server", "--listen", "stdio", "--concurrent-requests", "8"];

/** A child process, which each client starts for itself. */
export async function stdioStage(node: NodeSdk): Promise<Stage> {
  const home = makeCodexHome();
  const children = new Set<ChildProcess>();
  let dials = 0;
  const onChild = (message: unknown): void => {
    const { process: child } = message as { process: ChildProcess };
    // What it was started with is known when `spawn` has returned.
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
    loses: true,
    strike: () => void [...children].at(-1)?.kill(signal),
  });
  return {
    name: "stdio",
    canPing: false,
    faults: {
      "the child is killed": killed("SIGKILL"),
      "the child is terminated": killed("SIGTERM"),
      ...pauses(pid),
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
