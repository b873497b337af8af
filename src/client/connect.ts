import {
  ConnectError,
  DisconnectedError,
  ExecServerError,
  ProtocolError,
  ServerError,
  TimeoutError,
} from "../errors.ts";
import { deadline, untilAborted } from "../internal/abort.ts";
import type { ResultOf } from "../protocol/methods.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { Connection } from "../transport/transport.ts";
import type { ResolvedClientOptions } from "./options.ts";

/** Opens a connection within the deadline. One that arrives too late is closed. */
export async function dial(
  options: ResolvedClientOptions,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const { connectTimeoutMs: ms } = options;
  const limit = deadline({
    ms,
    signal,
    timeoutError: () =>
      new TimeoutError("ERR_CONNECT_TIMEOUT", `There was no connection within ${ms} ms`, {
        delivery: "not-sent",
      }),
  });
  try {
    const opening = options.transport.connect({ signal: limit.signal });
    return await untilAborted(opening, limit.signal, (late) => void late.close());
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

/** Makes a brand-new session on a connection; on failure the connection is closed. */
export async function initialize(
  rpc: RpcPeer,
  options: ResolvedClientOptions,
  signal: AbortSignal | undefined,
): Promise<ResultOf<"initialize">> {
  try {
    const result = await rpc.call(
      "initialize",
      { clientName: options.clientName, resumeSessionId: null },
      { signal, timeoutMs: options.initializeTimeoutMs },
    );
    rpc.sessionId = result.sessionId;
    rpc.notify("initialized", {});
    return result;
  } catch (error) {
    void rpc.close();
    throw signal?.aborted ? error : handshakeError(error, options.initializeTimeoutMs);
  }
}

/** Its `delivery` is that of the request that wanted the connection. */
function handshakeError(error: unknown, timeoutMs: number): unknown {
  if (error instanceof TimeoutError) {
    return new TimeoutError(
      "ERR_INITIALIZE_TIMEOUT",
      `The server did not answer the handshake within ${timeoutMs} ms`,
      {
        delivery: "not-sent",
      },
    );
  }
  if (error instanceof ServerError) {
    const { message, rpcCode, data, kind } = error;
    return new ServerError(message, { rpcCode, data, kind, delivery: "not-sent" });
  }
  // What broke the protocol is the news, not that the connection was therefore ended.
  const broken = error instanceof DisconnectedError ? error.cause : error;
  if (broken instanceof ProtocolError) return new ProtocolError(broken.message, { delivery: "not-sent" });
  if (!(error instanceof DisconnectedError)) return error;
  const { reason, closeCode, cause } = error;
  return new ConnectError(`The connection ended during the handshake: ${reason}`, {
    phase: "initialize",
    closeCode,
    delivery: "not-sent",
    cause,
  });
}
