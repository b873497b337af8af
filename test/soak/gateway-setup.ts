import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExecServer } from "../support/exec-server.ts";
import { ORIGIN, PROTOCOLS, TOKEN } from "../support/gateway.ts";
import { GatewayCommand } from "../support/gateway-command.ts";
import type { Sdk } from "../support/sdk.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { gatewayPathFaults } from "./faults.ts";
import { PageSocket } from "./page-socket.ts";
import type { Fault, LocalSetup } from "./setup.ts";

/** A gateway in its own process, which can be restarted. */
class RestartableGateway {
  readonly #args: readonly string[];
  #command!: GatewayCommand;
  port = 0;

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  async start(): Promise<void> {
    this.#command = new GatewayCommand(...this.#args);
    this.port = Number(new URL(await this.#command.url()).port);
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    this.#command.kill(signal);
    await this.#command.exited;
  }
}

/** A browser-like WebSocket through a TCP proxy to a gateway, and through a second TCP proxy to the server. */
export async function gatewaySetup(sdk: Sdk): Promise<LocalSetup> {
  const home = mkdtempSync(join(tmpdir(), "soak-gateway-"));
  const tokenFile = join(home, "token");
  writeFileSync(tokenFile, TOKEN);
  const server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  const back = await TcpProxy.start(() => Number(new URL(server.url).port));
  const gateway = new RestartableGateway([
    ...["--origin", ORIGIN, "--listen", "127.0.0.1:0"],
    ...["--upstream", back.url, "--token-file", tokenFile],
  ]);
  await gateway.start();
  const front = await TcpProxy.start(() => gateway.port);
  const stopped = (signal: NodeJS.Signals): Fault => ({
    disconnects: true,
    refusesDials: true,
    inject: () => gateway.stop(signal),
    repair: () => gateway.start(),
  });
  return {
    name: "gateway",
    isReconnectable: true,
    canPing: false,
    faults: {
      ...gatewayPathFaults({ front, back, server }),
      "the gateway is killed": stopped("SIGKILL"),
      "the gateway is terminated": stopped("SIGTERM"),
    },
    transport: () =>
      sdk.webSocket(front.url, { protocols: PROTOCOLS, headers: { origin: ORIGIN }, WebSocket: PageSocket }),
    get dials() {
      return front.dials;
    },
    get open() {
      return Math.max(front.open, back.open);
    },
    get pid() {
      return server.pid;
    },
    renew: () => server.restart(),
    async [Symbol.asyncDispose]() {
      await front.close();
      await gateway.stop("SIGKILL");
      await back.close();
      await server[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
