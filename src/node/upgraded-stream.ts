import { createHash, randomBytes } from "node:crypto";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions as TlsOptions } from "node:https";
import { connect, isIP, type Socket, type TcpNetConnectOpts } from "node:net";
import { unescape as unescapeUrl } from "node:querystring";
import { connect as tlsConnect } from "node:tls";
import type { ConnectContext, Transport } from "../transport/transport.ts";
import { type ResolvedAddress, shownUrl } from "../transport/websocket/address.ts";
import { dialError } from "../transport/websocket/dial.ts";
import { constructed } from "../transport/websocket/websocket.ts";
import { dialHint } from "./dial-hint.ts";
import { needsPromptAck } from "./prompt-ack.ts";

/** RFC 6455, 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** The close code of a dial that failed, as `ws` reports it. */
const ABNORMAL = 1006;

/** A WebSocket after its handshake as the bare stream of its frames. No extension was negotiated. */
export interface UpgradedStream {
  /** The TCP or TLS stream. It has no listeners but one for errors. */
  readonly stream: Socket;
  /** Whether the server has to be acknowledged promptly. */
  readonly needsPromptAck: boolean;
}

/** Opens the WebSocket of a transport up to the end of its handshake. Rejects as `connect` does. */
export type StreamDialer = (context: ConnectContext) => Promise<UpgradedStream>;

/** Where a transport of this entry has its dialer. A registered symbol, for the ESM and the CJS copy. */
const DIALER = Symbol.for("exec-server-sdk.stream-dialer");

/** Gives a transport a dialer. */
export function withStreamDialer(transport: Transport, dialer: StreamDialer): Transport {
  return Object.assign(transport, { [DIALER]: dialer });
}

/** The dialer of a transport; undefined for one that is no WebSocket of this entry. */
export function streamDialerOf(transport: Transport): StreamDialer | undefined {
  return (transport as { [DIALER]?: StreamDialer } | undefined)?.[DIALER];
}

function ignore(): void {}

/** Sends the upgrade request, and checks the response as `ws` does. */
export function openUpgradedStream(
  address: ResolvedAddress,
  options: TlsOptions,
  signal: AbortSignal,
): Promise<UpgradedStream> {
  return new Promise((resolve, reject) => {
    const key = randomBytes(16).toString("base64");
    const request = constructed((to) => upgradeRequest(to, options, key), address);
    const fail = (error: Error): void => {
      signal.removeEventListener("abort", onAbort);
      request.destroy();
      // After an abort, or a failure, this has no effect.
      reject(dialError(shownUrl(address.url), { message: error.message, error }, ABNORMAL, dialHint));
    };
    const onAbort = (): void => {
      reject(signal.reason);
      request.destroy();
    };
    request.on("error", fail);
    request.once("response", ({ statusCode }) =>
      fail(new Error(`Unexpected server response: ${statusCode}`)),
    );
    request.once("upgrade", (response, stream, head) => {
      // A function of its own would keep the request, and all that belongs to it, for as long as the stream.
      stream.on("error", ignore);
      const problem = problemWith(response, key, address.protocols);
      if (problem !== undefined || signal.aborted) {
        stream.destroy();
        fail(new Error(problem));
        return;
      }
      signal.removeEventListener("abort", onAbort);
      const socket = stream as Socket;
      // An agent of the user's may have other streams.
      socket.setTimeout?.(0);
      socket.setNoDelay?.(true);
      if (head.length > 0) socket.unshift(head);
      resolve({ stream: socket, needsPromptAck: needsPromptAck(response) });
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    request.end();
  });
}

function upgradeRequest(
  { url, protocols, headers }: ResolvedAddress,
  options: TlsOptions,
  key: string,
): ClientRequest {
  const isSecure = url.protocol === "wss:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return (isSecure ? httpsRequest : httpRequest)({
    // Node uses an agent unless there is a function. The socket of an upgrade never goes back to one.
    ...(options.agent ? {} : { createConnection: isSecure ? connectTls : connectTcp }),
    ...options,
    host,
    ...(isSecure && options.servername === undefined && { servername: isIP(host) ? "" : host }),
    port: url.port || (isSecure ? 443 : 80),
    path: url.pathname + url.search,
    ...(url.username || url.password
      ? { auth: `${unescapeUrl(url.username)}:${unescapeUrl(url.password)}` }
      : {}),
    headers: {
      ...headers,
      "Sec-WebSocket-Version": 13,
      "Sec-WebSocket-Key": key,
      Connection: "Upgrade",
      Upgrade: "websocket",
      ...(protocols.length > 0 && { "Sec-WebSocket-Protocol": offered(protocols) }),
    },
  } as TlsOptions);
}

/** Without the path, which names a local socket to `connect`. */
const connectTcp = (options: object): Socket =>
  connect({ ...(options as TcpNetConnectOpts), path: undefined } as TcpNetConnectOpts);
const connectTls = (options: object): Socket => tlsConnect({ ...options, path: undefined });

function offered(protocols: readonly string[]): string {
  const isValid = protocols.every(
    (protocol, at) => /^[\w!#$%&'*+.^`|~-]+$/.test(protocol) && protocols.indexOf(protocol) === at,
  );
  if (!isValid) throw new SyntaxError("An invalid or duplicated subprotocol was specified");
  return protocols.join(",");
}

/** What is wrong with the response to the upgrade request. */
function problemWith(
  { headers }: IncomingMessage,
  key: string,
  protocols: readonly string[],
): string | undefined {
  const { upgrade, "sec-websocket-protocol": protocol } = headers;
  const accept = createHash("sha1")
    .update(key + GUID)
    .digest("base64");
  if (upgrade?.toLowerCase() !== "websocket") return "Invalid Upgrade header";
  if (headers["sec-websocket-accept"] !== accept) return "Invalid Sec-WebSocket-Accept header";
  if (headers["sec-websocket-extensions"] !== undefined)
    return "Server sent an extension but none was requested";
  if (protocol === undefined) return protocols.length > 0 ? "Server sent no subprotocol" : undefined;
  return protocols.includes(protocol) ? undefined : "Server sent an invalid subprotocol";
}
