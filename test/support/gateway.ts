import { createGateway, GATEWAY_PROTOCOL, type GatewayOptions } from "../../src/gateway.ts";
import { ExecServerClient } from "../../src/index.ts";
import { webSocket } from "../../src/node.ts";
import type { Connection, Transport } from "../../src/transport/transport.ts";
import { AsyncQueue } from "./async-queue.ts";
import { ExecServer } from "./exec-server.ts";

export const ORIGIN = "https://ide.example";
export const TOKEN = "s3cret-token.of~the+tests";

/** What an honest page offers. */
export const PROTOCOLS = [GATEWAY_PROTOCOL, TOKEN];

/** The way of an honest page: what its browser and its script send. */
export function asPage(url: string, protocols: readonly string[] = PROTOCOLS): Transport {
  return webSocket(url, { protocols, headers: { origin: ORIGIN } });
}

/** Counts and keeps the connections that a transport opens. */
export class Watched implements Transport {
  readonly reconnectable = true;
  readonly connections: Connection[] = [];
  readonly #transport: Transport;
  readonly #arrivals = new AsyncQueue<Connection>();
  dials = 0;

  /** How many are not closed yet. */
  get open(): number {
    return this.connections.filter(({ isOpen }) => isOpen).length;
  }

  /** The next connection that nobody has asked for yet. */
  next(): Promise<Connection> {
    return this.#arrivals.next();
  }

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async connect(context: { readonly signal: AbortSignal }): Promise<Connection> {
    this.dials++;
    const connection = await this.#transport.connect(context);
    this.connections.push(connection);
    this.#arrivals.push(connection);
    return connection;
  }
}

/** A listening gateway; a string is the address of the upstream. */
export async function startGateway(
  upstream: string | GatewayOptions["upstream"],
  options: Partial<GatewayOptions> = {},
) {
  const gateway = createGateway({
    upstream: typeof upstream === "string" ? webSocket(upstream) : upstream,
    allowedOrigins: [ORIGIN],
    authorize: { token: TOKEN },
    ...options,
  });
  const { url } = await gateway.listen();
  return {
    gateway,
    url,
    port: Number(new URL(url).port),
    connect: () => ExecServerClient.connect({ transport: asPage(url) }),
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}

/** The same before a real server of its own. */
export async function realGateway(options: Partial<GatewayOptions> = {}) {
  const server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  const upstream = new Watched(webSocket(server.url));
  const started = await startGateway(upstream, options);
  return {
    ...started,
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await started.gateway.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
