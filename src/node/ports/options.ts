import { aFunction, checkArgument, checkOptions, integer, type Rules } from "../../internal/option-rules.ts";
import { aHost, aPort, type TcpTarget } from "../../tcp/options.ts";
import type { RemoteSocket } from "../../tcp/socket.ts";
import { aClientWith } from "../client-rule.ts";

/** A client of either kind. */
export interface PortClient {
  /** Makes a TCP connection from the server's machine. */
  connectTcp(target: TcpTarget): Promise<RemoteSocket>;
}

/** Options of `forwardPort`. */
export interface ForwardOptions {
  /** The port that the server's machine connects to, from 1 to 65535. */
  readonly remotePort: number;
  /** The host that the server's machine connects to. @default "127.0.0.1" */
  readonly remoteHost?: string | undefined;
  /** The local port; 0 for one that the system chooses. @default 0 */
  readonly port?: number | undefined;
  /**
   * The local address. Anything but a loopback address lets other machines reach the remote port.
   * @default "127.0.0.1"
   */
  readonly host?: string | undefined;
  /**
   * Called with the error of each connection that could not be made or was lost. The local connection is then reset. What
   * the callback throws or rejects with is ignored. @default none
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

const FORWARD_RULES: Rules<ForwardOptions> = {
  remotePort: aPort,
  remoteHost: aHost,
  port: integer(0, 65_535),
  host: aHost,
  onError: aFunction,
};

/** Throws a UsageError `ERR_INVALID_ARGUMENT` unless the arguments are right. */
export function checkForward(client: PortClient, options: ForwardOptions): void {
  checkArgument("forwardPort(): client", client, aClientWith("connectTcp()"));
  checkOptions("forwardPort()", options, FORWARD_RULES);
  checkArgument("forwardPort(): remotePort", options?.remotePort, aPort);
}
