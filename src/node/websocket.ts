import type { RequestOptions } from "node:https";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { invalid } from "../internal/arguments.ts";
import { aBoolean, anObject, aString, type Rule, type Rules } from "../internal/option-rules.ts";
import { viewOf } from "../internal/realms.ts";
import type { Transport } from "../transport/transport.ts";
import {
  given,
  OFFER_RULES,
  type ResolvedAddress,
  type WebSocketTarget,
} from "../transport/websocket/address.ts";
import {
  addressResolver,
  type WebSocketOptions,
  WS_OPTIONS,
  webSocketTransport,
} from "../transport/websocket/websocket.ts";
import { ClientSocket } from "./client-socket.ts";
import { dialHint } from "./dial-hint.ts";
import { openUpgradedStream, withStreamDialer } from "./upgraded-stream.ts";

/** One certificate or key in PEM, as text or bytes, or several. */
export type Pem = string | Uint8Array | readonly (string | Uint8Array)[];

/** Options of the node entry's `webSocket()`: those of the root entry, and those of Node's TLS by Node's names. */
export interface NodeWebSocketOptions extends WebSocketOptions {
  /** Certificates of the authorities to trust, as PEM, in place of the well-known ones. @default the well-known ones */
  readonly ca?: Pem | undefined;
  /** The client's certificate chain, as PEM. @default none */
  readonly cert?: Pem | undefined;
  /** The client's private key, as PEM. No error shows it. @default none */
  readonly key?: Pem | undefined;
  /** The passphrase of the private key. No error shows it. @default none */
  readonly passphrase?: string | undefined;
  /** Whether a server certificate that no trusted authority has signed is refused. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
  /** The name that the server's certificate must have. @default the host of the URL */
  readonly servername?: string | undefined;
  /** Opens the TCP or TLS connection: an `Agent` of `node:http`, for `wss:` of `node:https`, or of a proxy. @default none */
  readonly agent?: AgentLike | undefined;
}

/** What the agents of Node and of proxies have in common. The types of Node are not required. */
export interface AgentLike {
  /** Closes the agent's idle sockets. */
  destroy(): void;
}

/** PEM text or bytes, one or several. */
const pem: Rule = (value) => {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.every((each) => typeof each === "string" || viewOf(each)) ? undefined : "PEM text or a Buffer";
};

const RULES: Rules<NodeWebSocketOptions> = {
  ...OFFER_RULES,
  ca: pem,
  cert: pem,
  key: pem,
  passphrase: aString,
  rejectUnauthorized: aBoolean,
  servername: aString,
  agent: anObject,
};

const HINTS = {
  followRedirects: "the target must be the final URL",
  handshakeTimeout: "use connectTimeoutMs of the client",
  maxPayload: "a message may have 64 MiB",
  origin: "use headers: { origin }",
  perMessageDeflate: "messages are not compressed",
  signal: "abort the call that connects",
  timeout: "use connectTimeoutMs of the client",
  tls: "give its members, such as ca, as options of webSocket()",
  WebSocket: "it is that of ws; use webSocket() of exec-server-sdk for another one",
};

/**
 * Like the root entry's `webSocket()`, but always on the `ws` package instead of the runtime's WebSocket: headers are sent
 * on every Node version, the HTTP status of a refused upgrade is known (`ConnectError.status`), and an authority, a
 * client certificate or a proxy's agent can be given.
 *
 * While nothing is pending on it, its connection does not keep the process alive.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` at once for a fixed target that is no `ws:` or `wss:` URL, and for an invalid
 * option.
 * @example
 * import { LazyExecServerClient } from "exec-server-sdk";
 * import { webSocket } from "exec-server-sdk/node";
 *
 * const transport = webSocket("wss://build.example/exec", {
 *   headers: { authorization: `Bearer ${process.env["EXEC_TOKEN"]}` },
 *   servername: "build.example",
 * });
 * await using remote = new LazyExecServerClient({ transport });
 */
export function webSocket(target: WebSocketTarget, options: NodeWebSocketOptions = {}): Transport {
  const create = ({ url, protocols, headers }: ResolvedAddress) =>
    new ClientSocket(url, protocols, { ...WS_OPTIONS, ...connectionOptions(options), headers });
  const transport = webSocketTransport(target, options, create, { rules: RULES, hints: HINTS, dialHint });
  checkCertificates(options);
  // Bun gives no access to the stream of an upgrade.
  if ("bun" in process.versions) return transport;
  const resolve = addressResolver(target, options);
  return withStreamDialer(transport, async (context) => {
    const address = await resolve(context);
    return await openUpgradedStream(address, connectionOptions(options) as RequestOptions, context.signal);
  });
}

/** The options of the TCP or TLS connection that are given. */
function connectionOptions(options: NodeWebSocketOptions): Record<string, unknown> {
  const { ca, cert, key, passphrase, rejectUnauthorized, servername, agent } = options;
  return given<unknown>({ ca, cert, key, passphrase, rejectUnauthorized, servername, agent });
}

function checkCertificates({ ca, cert, key, passphrase }: NodeWebSocketOptions): void {
  try {
    if (ca ?? cert ?? key) createSecureContext({ ca, cert, key, passphrase } as SecureContextOptions);
  } catch (error) {
    const { code } = error as { code?: unknown };
    invalid(
      `webSocket(): ca, cert, key and passphrase must fit together, got values that Node refused (${String(code)})`,
    );
  }
}
