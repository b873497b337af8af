import { TimeoutError } from "../errors/connection.ts";
import { type Delivery, ExecServerError } from "../errors/error.ts";
import { ServerError } from "../errors/server.ts";
import { type Deadline, deadline, untilAborted } from "../internal/abort.ts";
import { DEFAULT_MAX_BUFFERED_BYTES } from "../internal/byte-queue.ts";
import { inOperation, type Operation } from "../internal/operation.ts";
import { platformClass } from "../internal/platform.ts";
import type { ServerFeatures } from "../protocol/features.ts";
import { liveSignal, type OnEnd } from "../rpc/live-signal.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { Bodies } from "./body.ts";
import {
  checkInit,
  type PreparedRequest,
  prepareRequest,
  type RemoteRequestInit,
  signalOf,
} from "./request.ts";
import { type Content, readBody } from "./request-body.ts";
import { hasBody, makeResponse, type RemoteResponse } from "./response.ts";

/** The parts of a session that requests use. */
export interface HttpSession {
  readonly rpc: RpcPeer;
  readonly bodies: Bodies;
  readonly server: ServerFeatures;
}

/**
 * A `fetch` whose requests are made by the server's machine. Members of `init` that it does not know are ignored.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for a request that can't be sent, `ERR_TOO_LARGE` for a body above 11 MiB;
 * TimeoutError `ERR_TIMEOUT` past `timeoutMs`; ServerError when the server could not make the request; OverflowError
 * when aborted requests hold all places (see `fetchConnection`).
 */
export type RemoteFetch = (
  input: string | URL | Request,
  init?: RemoteRequestInit,
) => Promise<RemoteResponse>;

/**
 * Milliseconds by which the server's own timeout exceeds `timeoutMs`. The error of the server does not name the timeout,
 * so the client's timer must fire first, even if the event loop is blocked at that moment.
 */
const SERVER_GRACE_MS = 1_000;

/** The server does not say which of these it was. */
const SEND_HINT = ". Is the name of the host right, and does something listen there?";

type Connect = (options: { signal?: AbortSignal | undefined }) => Promise<HttpSession>;

/**
 * A `fetch` whose requests are made by the server's machine. Each request uses the session that `connect` returns.
 *
 * @param onFinal For the time when no session can be had any more.
 */
export function createFetch(connect: Connect, onFinal: OnEnd): RemoteFetch {
  return async (input, init) => {
    const given = init ?? {};
    return await inOperation({ operation: "fetch" }, signalOf(input, given), (operation) =>
      fetchRemotely(connect, onFinal, input, given, operation),
    );
  };
}

/** One `fetch`, with the details that an error at its current stage carries. */
interface Exchange {
  readonly request: PreparedRequest;
  readonly content: Content;
  readonly limit: Deadline;
  readonly init: RemoteRequestInit;
  readonly progress: { delivery: Delivery; sessionId?: string | undefined };
}

async function fetchRemotely(
  connect: Connect,
  onFinal: OnEnd,
  input: string | URL | Request,
  init: RemoteRequestInit,
  operation: Operation,
): Promise<RemoteResponse> {
  checkInit(init);
  const request = prepareRequest(input, init);
  const { signal } = request;
  if (signal?.aborted) throw signal.reason;
  const { timeoutMs } = init;
  const progress: Exchange["progress"] = { delivery: "not-sent" };
  const limit = deadline({
    ms: timeoutMs,
    signal,
    timeoutError: () =>
      new TimeoutError("ERR_TIMEOUT", `Timed out after ${timeoutMs} ms while fetching`, { ...progress }),
  });
  try {
    // Before the request is sent.
    platformClass("Response");
    const content = await readBody(request, limit.signal, () =>
      liveSignal(onFinal, limit.signal, () => "not-sent"),
    );
    for (;;) {
      progress.delivery = "not-sent";
      const session = await connect({ signal: limit.signal });
      operation.serverVersion = session.server.version;
      await checkFeatures(session.server, request, limit.signal);
      try {
        return await exchange(session, { request, content, limit, init, progress });
      } catch (error) {
        // Nothing was sent, and the connection ended because of other requests: this one goes to the next connection.
        const isUnsent = error instanceof ExecServerError && error.delivery === "not-sent";
        if (!isUnsent || !session.bodies.isAbandoned || limit.signal.aborted) throw error;
      }
    }
  } catch (error) {
    limit.clear();
    throw error;
  }
}

/** A server that does not know these follows redirects, and sends an empty header. */
async function checkFeatures(
  server: ServerFeatures,
  { redirect, headers }: PreparedRequest,
  signal: AbortSignal,
): Promise<void> {
  if (redirect !== "follow") {
    await untilAborted(server.learn(), signal);
    server.need("redirects", `redirect: "${redirect}"`);
  }
  if (headers.some(({ valueEnvVar }) => valueEnvVar)) server.need("headersFromEnv", "headersFromEnv");
}

async function exchange(
  { rpc, bodies }: HttpSession,
  {
    request: { method, url, redirect, signal },
    content: { headers, bytes },
    limit,
    init,
    progress,
  }: Exchange,
): Promise<RemoteResponse> {
  const { timeoutMs, maxBufferedBytes = DEFAULT_MAX_BUFFERED_BYTES } = init;
  const { sessionId } = rpc;
  const body = bodies.expect(maxBufferedBytes, sessionId);
  Object.assign(progress, { sessionId, delivery: "unknown" });
  try {
    const head = await rpc.call(
      "http/request",
      {
        method,
        url,
        headers,
        ...(bytes ? {} : { bodyBase64: null }),
        redirectPolicy: redirect === "follow" ? "follow" : "stop",
        requestId: body.requestId,
        streamResponse: true,
        ...(timeoutMs === undefined ? {} : { timeoutMs: Math.ceil(timeoutMs) + SERVER_GRACE_MS }),
      },
      { signal: limit.signal, payload: bytes ? { name: "bodyBase64", bytes } : undefined },
    );
    progress.delivery = "answered";
    limit.signal.throwIfAborted();
    if (redirect === "error" && isRedirect(head.status)) {
      throw new TypeError('The origin responded with a redirect, which is an error with redirect: "error"');
    }
    if (hasBody(method, head.status)) return makeResponse(head, url, body.stream(limit, signal), body);
    body.finish();
    limit.clear();
    return makeResponse(head, url, null, body);
  } catch (error) {
    // An error of the server ends the exchange there, too; an abort does not.
    if (limit.signal.aborted) body.abandon();
    else body.finish();
    if (error instanceof ServerError)
      error.message = error.message.replace(/(sending request for url) \((\S*?)\)?$/, `$1 $2${SEND_HINT}`);
    throw error;
  }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}
