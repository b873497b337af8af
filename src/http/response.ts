import type { Deadline } from "../internal/deadline.ts";
import type { ResultOf } from "../protocol/methods.ts";
import type { Body } from "./body.ts";

/** A standard response, and what the standard one can't hold. */
export interface RemoteResponse extends Response {
  /** The headers as they came: in order, repeated ones apart, `set-cookie` included in browsers too. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
}

/** Statuses whose response has no body, by the Fetch standard. */
const NULL_BODY_STATUS = [101, 103, 204, 205, 304];

export function makeResponse(
  head: ResultOf<"http/request">,
  url: string,
  body: Body,
  limit: Deadline,
): RemoteResponse {
  const { status } = head;
  const rawHeaders = head.headers.map(({ name, value }) => [name, value] as const);
  const hasBody = !NULL_BODY_STATUS.includes(status);
  if (!hasBody) {
    body.discard();
    limit.clear();
  }
  const isHoldable = status >= 200 && status <= 599;
  const response = new Response(hasBody ? body.stream(limit.signal, () => limit.clear()) : null, {
    status: isHoldable ? status : 200,
    headers: platformHeaders(rawHeaders),
  });
  return Object.defineProperties(response, {
    url: { value: url },
    rawHeaders: { value: rawHeaders, enumerable: true },
    // The constructor refuses 1xx and 600 and above, but origins do send them.
    ...(isHoldable ? {} : { status: { value: status }, ok: { value: false } }),
  }) as RemoteResponse;
}

function platformHeaders(pairs: readonly (readonly [string, string])[]): Headers {
  const headers = new Headers();
  for (const [name, value] of pairs) {
    try {
      headers.append(name, value);
    } catch {
      // Not a legal header: it is in the raw ones only.
    }
  }
  return headers;
}
