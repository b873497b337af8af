import { unsupported } from "../internal/arguments.ts";
import { type Bytes, textOf } from "../internal/bytes.ts";
import { SingleFlight } from "../internal/single-flight.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { RelayProcess } from "./input.ts";
import type { TcpTarget } from "./options.ts";
import { FIND_RELAY, REQUIREMENT, type Relay, relayNamed } from "./relays/relays.ts";
import { type RemoteSocket, TcpSocket } from "./socket.ts";

/** The server's POSIX shell. Without one, both reject with UsageError `ERR_UNSUPPORTED`. */
export interface Shell {
  run(
    script: string,
    args: readonly string[],
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly stdout: Bytes }>;
  start(
    script: string,
    args: readonly string[],
    options: { readonly isLaunched: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<RelayProcess>;
}

/** The TCP connections that are made on one connection of the client. */
export class TcpConnections {
  readonly #rpc: RpcPeer;
  readonly #shell: Shell;
  readonly #search = new SingleFlight<Relay>();
  #relay: Relay | undefined;

  constructor(rpc: RpcPeer, shell: Shell) {
    this.#rpc = rpc;
    this.#shell = shell;
  }

  /** @param target Checked by its rules. */
  async connect({ port, host = "127.0.0.1", signal }: TcpTarget): Promise<RemoteSocket> {
    const rpc = this.#rpc;
    this.#relay ??= await this.#search.join((stop) => this.#findRelay(stop), signal);
    const relay = this.#relay;
    const options = { isLaunched: !relay.isFramed, signal };
    const process = await this.#shell.start('exec "$@"', relay.command(host, port), options);
    const socket = new TcpSocket({ rpc, process, relay, address: `${host}:${port}`, signal });
    await socket.opened;
    return socket;
  }

  async #findRelay(signal: AbortSignal): Promise<Relay> {
    const { stdout } = await this.#shell.run(FIND_RELAY, [], { signal });
    const details = { sessionId: this.#rpc.sessionId, delivery: "answered" } as const;
    return (
      relayNamed(textOf(stdout).trim()) ?? unsupported(`This requires ${REQUIREMENT} on the server`, details)
    );
  }
}
