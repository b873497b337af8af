import type { ExecServer } from "../support/exec-server.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import type { Fault } from "./setup.ts";

type Faults = Record<string, Fault>;

/** Faults of one network segment. */
export function networkFaults(network: TcpProxy, name: string): Faults {
  return {
    [`${name} is reset`]: { disconnects: true, inject: () => network.cut() },
    [`${name} is cut in the middle of a frame`]: {
      disconnects: true,
      inject: (random) => network.cutAfter(random.between(1, 3_000)),
    },
    [`${name} goes silent`]: {
      disconnects: true,
      isSilent: true,
      inject: () => network.freeze(),
      repair: () => network.thaw(),
    },
    [`${name} stalls`]: { disconnects: false, inject: () => network.freeze(), repair: () => network.thaw() },
    [`${name} is cut and refuses connections`]: {
      disconnects: true,
      refusesDials: true,
      inject() {
        network.isRefusing = true;
        network.cut();
      },
      repair() {
        network.isRefusing = false;
      },
    },
  };
}

/** Faults of a server that can be restarted. */
export function serverFaults(server: ExecServer): Faults {
  const restart = (): Promise<void> => server.restart();
  return {
    "the server is killed": {
      disconnects: true,
      refusesDials: true,
      inject: () => server.kill("SIGKILL"),
      repair: restart,
    },
    "the server is terminated": {
      disconnects: true,
      refusesDials: true,
      inject: () => server.kill("SIGTERM"),
      repair: restart,
    },
    ...pauseFaults(() => server.pid),
  };
}

/** Faults of both network segments of a gateway and of the server behind it, without those of the gateway. */
export function gatewayPathFaults({
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

/** Faults of a process that is stopped and continued. */
export function pauseFaults(pid: () => number | undefined): Faults {
  const signal = (name: NodeJS.Signals) => (): void => {
    const id = pid();
    if (id !== undefined) process.kill(id, name);
  };
  return {
    "the server is stopped": {
      disconnects: true,
      refusesDials: true,
      isSilent: true,
      inject: signal("SIGSTOP"),
      repair: signal("SIGCONT"),
    },
    "the server pauses": { disconnects: false, inject: signal("SIGSTOP"), repair: signal("SIGCONT") },
  };
}
