import { createGateway, GATEWAY_PROTOCOL, type GatewayOptions } from "../../src/gateway.ts";
import { ExecServerClient } from "../../src/index.ts";
import { streamDialerOf, withStreamDialer } from "../../src/node/upgraded-stream.ts";
import { webSocket } from "../../src/node.ts";
import type { Connection, Transport } from "../../src/transport/transport.ts";
import { AsyncQueue } from "./async-queue.ts";
import { ExecServer } from "./exec-server.ts";

export const ORIGIN = "https://ide.example";
export const TOKEN = "s3cret-token.of~the+tests";

/** The subprotocols that an admitted page offers. */
export const PROTOCOLS = [GATEWAY_PROTOCOL, TOKEN];

/** Connects like a page that is admitted: with the allowed origin and the token. */
export function pageTransport(url: string, protocols: readonly string[] = PROTOCOLS): Transport {
  return webSocket(url, { protocols, headers: { origin: ORIGIN } });
}

/**
 * Whether the gateways of a test relay frames or proxy messages. Each suite of the gateway that meets a WebSocket upstream
 * runs over both.
 */
export const isRelaying = process.env["GATEWAY_FORWARDS"] !== "messages";

/** The transport to a server: as the gateway can relay its frames, or as a custom one, which it can't look into. */
function upstreamTransport(url: string): Transport {
  const transport = webSocket(url);
  return isRelaying ? transport : { reconnectable: true, connect: (context) => transport.connect(context) };
}

/** What is recorded of a connection. */
type Opened = Pick<Connection, "isOpen">;

/** Counts the dials of a transport and records its connections. */
export class RecordingTransport implements Transport {
  readonly reconnectable = true;
  readonly connections: Opened[] = [];
  readonly #transport: Transport;
  readonly #opened = new AsyncQueue<Opened>();
  dials = 0;

  /** The number of open connections. */
  get open(): number {
    return this.connections.filter(({ isOpen }) => isOpen).length;
  }

  /** Resolves with the next connection that no earlier call has returned. */
  next(): Promise<Opened> {
    return this.#opened.next();
  }

  constructor(transport: Transport) {
    this.#transport = transport;
    const dialer = streamDialerOf(transport);
    if (!dialer) return;
    withStreamDialer(this, (context) =>
      this.#record(dialer(context), ({ stream }) => ({
        get isOpen() {
          return !stream.destroyed;
        },
      })),
    );
  }

  connect(context: { readonly signal: AbortSignal }): Promise<Connection> {
    return this.#record(this.#transport.connect(context), (connection) => connection);
  }

  async #record<Made>(dial: Promise<Made>, opened: (made: Made) => Opened): Promise<Made> {
    this.dials++;
    const made = await dial;
    const recorded = opened(made);
    this.connections.push(recorded);
    this.#opened.push(recorded);
    return made;
  }
}

/** An exec-server that can't be reached. */
export const UNREACHABLE: Transport = {
  reconnectable: true,
  connect: () => Promise.reject(new Error("unreachable")),
};

/** The same, with its dials recorded. */
export const unreachable = (): RecordingTransport => new RecordingTransport(UNREACHABLE);

/** A listening gateway. A string is the URL of the upstream. */
export async function startGateway(
  upstream: string | GatewayOptions["upstream"],
  options: Partial<GatewayOptions> = {},
) {
  const gateway = createGateway({
    upstream: typeof upstream === "string" ? upstreamTransport(upstream) : upstream,
    allowedOrigins: [ORIGIN],
    authorize: { token: TOKEN },
    ...options,
  });
  const { url } = await gateway.listen();
  return {
    gateway,
    url,
    port: Number(new URL(url).port),
    connect: () => ExecServerClient.connect({ transport: pageTransport(url) }),
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}

/** A listening gateway in front of its own real server. */
export async function startRealGateway(options: Partial<GatewayOptions> = {}) {
  const server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  const upstream = new RecordingTransport(upstreamTransport(server.url));
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
