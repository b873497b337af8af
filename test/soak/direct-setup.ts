import { ExecServer } from "../support/exec-server.ts";
import type { Sdk } from "../support/sdk.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { networkFaults, serverFaults } from "./faults.ts";
import type { LocalSetup } from "./setup.ts";

/** A WebSocket to the server, through a TCP proxy. */
export async function directSetup(sdk: Sdk): Promise<LocalSetup> {
  const server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  const network = await TcpProxy.start(() => Number(new URL(server.url).port));
  return {
    name: "direct",
    isReconnectable: true,
    canPing: true,
    faults: { ...networkFaults(network, "the network"), ...serverFaults(server) },
    transport: () => sdk.webSocket(network.url),
    get dials() {
      return network.dials;
    },
    get open() {
      return network.open;
    },
    get pid() {
      return server.pid;
    },
    renew: () => server.restart(),
    async [Symbol.asyncDispose]() {
      await network.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
