import { type Delivery, TimeoutError } from "../errors.ts";
import { deadline } from "../internal/abort.ts";
import { DEFAULT_MAX_BUFFERED_BYTES } from "../internal/byte-queue.ts";
import { platformClass } from "../internal/platform.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { Bodies, Body } from "./body.ts";
import { prepareRequest, type RemoteRequestInit } from "./request.ts";
import { readBody } from "./request-body.ts";
import { hasBody, makeResponse, type RemoteResponse } from "./response.ts";

/** The parts of a session that requests use. */
export interface HttpSession {
  readonly rpc: RpcPeer;
  readonly bodies: Bodies;
}

/**
 * A `fetch` whose requests are made by the server's machine.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for a request that can't be sent, `ERR_TOO_LARGE` for a body above 11 MiB;
 * TimeoutError `ERR_TIMEOUT` past `timeoutMs`; ServerError when the server could not make the request.
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

/** A `fetch` whose requests are made by the server's machine. Each request uses the session that `connect` returns. */
export function createFetch(
  connect: (options: { signal?: AbortSignal | undefined }) => Promise<HttpSession>,
): RemoteFetch {
  return async (input, init = {}) => {
    const { timeoutMs, maxBufferedBytes = DEFAULT_MAX_BUFFERED_BYTES } = init;
    const request = prepareRequest(input, init);
    const { method, url, redirect, signal } = request;
    signal?.throwIfAborted();
    // Details for an error at the current stage of the exchange.
    let sessionId: string | undefined;
    let delivery: Delivery = "not-sent";
    const limit = deadline({
      ms: timeoutMs,
      signal,
      timeoutError: () =>
        new TimeoutError("ERR_TIMEOUT", `Timed out after ${timeoutMs} ms while fetching`, {
          sessionId,
          delivery,
        }),
    });
    let body: Body | undefined;
    try {
      // Before the request is sent.
      platformClass("Response");
      const content = await readBody(request, limit.signal);
      const { rpc, bodies } = await connect({ signal: limit.signal });
      sessionId = rpc.sessionId;
      body = bodies.expect(maxBufferedBytes, sessionId);
      delivery = "unknown";
      const head = await rpc.call(
        "http/request",
        {
          method,
          url,
          ...content,
          redirectPolicy: redirect === "follow" ? "follow" : "stop",
          requestId: body.requestId,
          streamResponse: true,
          ...(timeoutMs === undefined ? {} : { timeoutMs: Math.ceil(timeoutMs) + SERVER_GRACE_MS }),
        },
        { signal: limit.signal },
      );
      delivery = "answered";
      limit.signal.throwIfAborted();
      if (redirect === "error" && isRedirect(head.status)) {
        throw new TypeError('The origin responded with a redirect, which is an error with redirect: "error"');
      }
      const stream = body.stream(limit, signal);
      if (hasBody(method, head.status)) return makeResponse(head, url, stream, body);
      body.discard();
      return makeResponse(head, url, null, body);
    } catch (error) {
      body?.discard();
      limit.clear();
      throw error;
    }
  };
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}
