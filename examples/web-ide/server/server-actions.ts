import type { Actions } from "./api.ts";

/** The exec-server of the demo. Its page can kill, start, freeze and thaw it. */
export interface DemoExecServer {
  readonly url: string;
  readonly pid: number | undefined;
  kill(signal: "SIGKILL"): Promise<void>;
  restart(): Promise<void>;
}

/** The requests with which the page reads and changes the state of the exec-server. */
export function serverActions(execServer: DemoExecServer): Actions {
  /** The process that is stopped by SIGSTOP: its sockets stay open, and nothing answers. */
  let frozen: number | undefined;
  const status = (): unknown => {
    const { pid } = execServer;
    return { running: pid !== undefined, frozen: pid !== undefined && pid === frozen };
  };
  const signal = (name: "SIGSTOP" | "SIGCONT"): void => {
    const { pid } = execServer;
    if (pid !== undefined) signalServer(pid, name);
    frozen = name === "SIGSTOP" ? pid : undefined;
  };
  return {
    "GET /api/server": status,
    "POST /api/server/kill": async () => {
      await execServer.kill("SIGKILL");
      return status();
    },
    "POST /api/server/start": async () => {
      if (execServer.pid === undefined) await execServer.restart();
      return status();
    },
    "POST /api/server/freeze": () => {
      signal("SIGSTOP");
      return status();
    },
    "POST /api/server/thaw": () => {
      signal("SIGCONT");
      return status();
    },
  };
}

/** A server that was started by a script is a process group. */
function signalServer(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    process.kill(pid, name);
  }
}
