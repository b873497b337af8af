import { type Delivery, TimeoutError } from "../errors.ts";
import { deadline } from "../internal/abort.ts";
import { DEFAULT_MAX_BUFFERED_BYTES } from "../internal/byte-queue.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { Bodies, Body } from "./body.ts";
import { prepareRequest, type RemoteRequestInit } from "./request.ts";
import { readBody } from "./request-body.ts";
import { hasBody, makeResponse, type RemoteResponse } from "./response.ts";

/** What requests need of a connection. */
export interface HttpSession {
  readonly rpc: RpcPeer;
  readonly bodies: Bodies;
}

/**
 * A `fetch` whose requests are made by the server's machine.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for what can't be sent, `ERR_TOO_LARGE` for a body above 11 MiB;
 * TimeoutError `ERR_TIMEOUT` past `timeoutMs`; ServerError when the server could not make the request.
 */
export type RemoteFetch = (
  input: string | URL | Request,
  init?: RemoteRequestInit,
) => Promise<RemoteResponse>;

/**
 * The server gives up as well, but after us, also if this program is busy at that moment: its own error would not say that
 * the time was up.
 */
const SERVER_GRACE_MS = 1_000;

/** A `fetch` whose requests are made by the server's machine, on whatever session `connect` gives at the time. */
export function createFetch(
  connect: (options: { signal?: AbortSignal | undefined }) => Promise<HttpSession>,
): RemoteFetch {
  return async (input, init = {}) => {
    const { timeoutMs, maxBufferedBytes = DEFAULT_MAX_BUFFERED_BYTES } = init;
    const request = prepareRequest(input, init);
    const { method, url, redirect, signal } = request;
    signal?.throwIfAborted();
    // What an error can say of the exchange if it ends now.
    let sessionId: string | undefined;
    let delivery: Delivery = "not-sent";
    const limit = deadline({
      ms: timeoutMs,
      signal,
      timeoutError: () =>
        new TimeoutError("ERR_TIMEOUT", `The exchange did not end within ${timeoutMs} ms`, {
          sessionId,
          delivery,
        }),
    });
    let body: Body | undefined;
    try {
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
        throw new TypeError("The origin answered with a redirect, which this request does not follow");
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
