import { ConnectError, DisconnectedError, ProtocolError, TimeoutError } from "../errors/connection.ts";
import { ExecServerError } from "../errors/error.ts";
import { ServerError } from "../errors/server.ts";
import { deadline, untilAborted } from "../internal/abort.ts";
import { guarded } from "../internal/guarded.ts";
import { isPrerendering, pageVisited } from "../internal/page.ts";
import { ServerFeatures } from "../protocol/features.ts";
import { KeepAlive } from "../rpc/keep-alive.ts";
import { RpcPeer } from "../rpc/peer.ts";
import type { TraceContext } from "../rpc/request-frame.ts";
import { type Connection, closed, opened } from "../transport/transport.ts";
import { askOldServer } from "./old-server.ts";
import type { ResolvedClientOptions } from "./options.ts";
import { answerServerRequest } from "./server-requests.ts";
import { type ConnectionPurpose, Session } from "./session.ts";

/**
 * Makes one new connection and one new session on it. Releases everything if it fails, or if the signal aborts before the
 * handshake has completed.
 *
 * @param purpose Set for a connection that only `fetch` uses.
 */
export async function connect(
  options: ResolvedClientOptions,
  signal: AbortSignal | undefined,
  purpose?: ConnectionPurpose,
): Promise<Session> {
  signal?.throwIfAborted();
  const { keepAlive, onNetworkPolicyRequest, traceContext } = options;
  // Before the deadline begins: the browser opens no connection for a page that is not visited yet.
  if (isPrerendering()) await pageVisited(signal);
  const started = performance.now();
  const connection = await dial(options, signal);
  const dialled = performance.now();
  let session: Session | undefined;
  const rpc = new RpcPeer(connection, {
    onRequest: (method, params) =>
      answerServerRequest(method, params, onNetworkPolicyRequest, (id) =>
        session?.processes.decisionTimeoutOf(id),
      ),
    trace: traceContext && (() => currentTrace(traceContext)),
    limitsHttp: purpose !== "fetch",
  });
  const server = await initialize(rpc, options, signal);
  const timings = { dialMs: dialled - started, handshakeMs: performance.now() - dialled };
  session = new Session(rpc, server, timings, purpose);
  if (keepAlive) KeepAlive.watch(rpc, keepAlive);
  return session;
}

/** Opens a connection within the deadline. A connection that opens too late is closed. */
async function dial(options: ResolvedClientOptions, signal: AbortSignal | undefined): Promise<Connection> {
  const { connectTimeoutMs: ms } = options;
  let reason = "";
  const waitingFor = (latest: string): void => {
    reason = `: ${latest}`;
  };
  const limit = deadline({
    ms,
    signal,
    timeoutError: () =>
      new TimeoutError("ERR_CONNECT_TIMEOUT", `Timed out after ${ms} ms while connecting${reason}`, {
        delivery: "not-sent",
      }),
  });
  try {
    const opening = opened(options.transport, { signal: limit.signal, waitingFor });
    return await untilAborted(opening, limit.signal, closed);
  } catch (error) {
    if (limit.signal.aborted) throw limit.signal.reason;
    if (error instanceof ExecServerError) throw error;
    throw new ConnectError("Could not connect to the exec-server", {
      phase: "dial",
      delivery: "not-sent",
      cause: error,
    });
  } finally {
    limit.clear();
  }
}

/** Makes a new session on a connection. Closes the connection if it fails. */
async function initialize(
  rpc: RpcPeer,
  options: ResolvedClientOptions,
  signal: AbortSignal | undefined,
): Promise<ServerFeatures> {
  const limits = { signal, timeoutMs: options.initializeTimeoutMs };
  try {
    const params = { clientName: options.clientName, resumeSessionId: null } as const;
    const { sessionId, environmentInfo } = await rpc.call("initialize", params, limits);
    rpc.sessionId = sessionId;
    rpc.notify("initialized", {});
    const server = new ServerFeatures(environmentInfo, () => askOldServer(rpc));
    rpc.serverVersion = server.version;
    return server;
  } catch (error) {
    void rpc.close();
    throw signal?.aborted ? error : handshakeError(error, options.initializeTimeoutMs);
  }
}

/** The error of a failed handshake. Its `delivery` is that of the caller's request, which was not sent. */
function handshakeError(error: unknown, timeoutMs: number): unknown {
  if (error instanceof TimeoutError) {
    return new TimeoutError(
      "ERR_INITIALIZE_TIMEOUT",
      `Timed out after ${timeoutMs} ms while waiting for the server's answer to the handshake`,
      { delivery: "not-sent" },
    );
  }
  if (error instanceof ServerError) {
    const { message, rpcCode, data, kind } = error;
    return new ServerError(message, { rpcCode, data, kind, delivery: "not-sent" });
  }
  // A protocol violation is the cause, and the disconnect only its consequence.
  const violation = error instanceof DisconnectedError ? error.cause : error;
  if (violation instanceof ProtocolError)
    return new ProtocolError(violation.message, { delivery: "not-sent" });
  if (!(error instanceof DisconnectedError)) return error;
  const { reason, closeCode, cause } = error;
  return new ConnectError(`The connection ended during the handshake: ${reason}`, {
    phase: "initialize",
    closeCode,
    delivery: "not-sent",
    cause,
  });
}

/** Only the two standard members: others of a tracer's context may not be serializable. */
function currentTrace(traceContext: () => TraceContext | undefined): TraceContext | undefined {
  const context = guarded(traceContext);
  return guarded(() => {
    const { traceparent, tracestate } = context ?? {};
    if (!isHeaderText(traceparent)) return undefined;
    return { traceparent, tracestate: isHeaderText(tracestate) ? tracestate : undefined };
  });
}

/** W3C trace contexts are ASCII. Other text could make the request unreadable for the server. */
function isHeaderText(value: unknown): value is string {
  return typeof value === "string" && /^[\x20-\x7e]*$/.test(value);
}
