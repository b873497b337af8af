import type { ExecServer } from "../support/exec-server.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import type { Fault } from "./stage.ts";

type Faults = Record<string, Fault>;

/** What can happen to a piece of network. */
export function networkFaults(network: TcpProxy, name: string): Faults {
  return {
    [`${name} is reset`]: { loses: true, strike: () => network.cut() },
    [`${name} is cut in the middle of a frame`]: {
      loses: true,
      strike: (random) => network.cutAfter(random.between(1, 3_000)),
    },
    [`${name} goes silent`]: {
      loses: true,
      isSilent: true,
      strike: () => network.freeze(),
      repair: () => network.thaw(),
    },
    [`${name} stalls`]: { loses: false, strike: () => network.freeze(), repair: () => network.thaw() },
    [`${name} is cut and takes nobody`]: {
      loses: true,
      refuses: true,
      strike() {
        network.isRefusing = true;
        network.cut();
      },
      repair() {
        network.isRefusing = false;
      },
    },
  };
}

/** What can happen to a server that is started again. */
export function serverFaults(server: ExecServer): Faults {
  const restart = (): Promise<void> => server.restart();
  return {
    "the server is killed": {
      loses: true,
      refuses: true,
      strike: () => server.kill("SIGKILL"),
      repair: restart,
    },
    "the server is terminated": {
      loses: true,
      refuses: true,
      strike: () => server.kill("SIGTERM"),
      repair: restart,
    },
    ...pauses(() => server.pid),
  };
}

/** What can happen on the way through a gateway, but for the gateway itself. */
export function wayFaults({
  front,
  back,
  server,
}: {
  front: TcpProxy;
  back: TcpProxy;
  server: ExecServer;
}): Faults {
  return {
    ...networkFaults(front, "the network before the gateway"),
    ...networkFaults(back, "the network behind the gateway"),
    ...serverFaults(server),
  };
}

/** What can happen to a process that is only held up. */
export function pauses(pid: () => number | undefined): Faults {
  const signal = (name: NodeJS.Signals) => (): void => {
    const id = pid();
    if (id !== undefined) process.kill(id, name);
  };
  return {
    "the server stands still": {
      loses: true,
      refuses: true,
      isSilent: true,
      strike: signal("SIGSTOP"),
      repair: signal("SIGCONT"),
    },
    "the server pauses": { loses: false, strike: signal("SIGSTOP"), repair: signal("SIGCONT") },
  };
}
