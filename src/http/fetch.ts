import { TimeoutError } from "../errors.ts";
import { deadline } from "../internal/deadline.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { Bodies } from "./body.ts";
import { prepareRequest, type RemoteRequestInit } from "./request.ts";
import { makeResponse, type RemoteResponse } from "./response.ts";

/** What requests need of a connection. */
export interface HttpSession {
  readonly rpc: RpcPeer;
  readonly bodies: Bodies;
}

export type RemoteFetch = (
  input: string | URL | Request,
  init?: RemoteRequestInit,
) => Promise<RemoteResponse>;

const DEFAULT_MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** A `fetch` whose requests are made by the server's machine, on whatever session `connect` gives at the time. */
export function createFetch(
  connect: (options: { signal?: AbortSignal | undefined }) => Promise<HttpSession>,
): RemoteFetch {
  return async (input, init = {}) => {
    const { timeoutMs, maxBufferedBytes = DEFAULT_MAX_BUFFERED_BYTES } = init;
    const { params, url, redirect, signal } = await prepareRequest(input, init);
    signal?.throwIfAborted();
    const limit = deadline({
      ms: timeoutMs,
      signal,
      timeoutError: () => new TimeoutError("ERR_TIMEOUT", `The exchange did not end within ${timeoutMs} ms`),
    });
    try {
      const { rpc, bodies } = await connect({ signal: limit.signal });
      const body = bodies.expect(maxBufferedBytes, rpc.sessionId);
      const answer = rpc.call(
        "http/request",
        {
          ...params,
          requestId: body.requestId,
          streamResponse: true,
          // So that the server gives up as well.
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        },
        { signal: limit.signal },
      );
      const head = await answer.catch((error) => {
        body.discard();
        throw error;
      });
      if (redirect === "error" && isRedirect(head.status)) {
        body.discard();
        throw new TypeError("The origin answered with a redirect, which this request does not follow");
      }
      return makeResponse(head, url, body, limit);
    } catch (error) {
      limit.clear();
      throw error;
    }
  };
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}
