import type { ResultOf } from "../protocol/methods.ts";

/** A standard response, and what the standard one can't hold. */
export interface RemoteResponse extends Response {
  /** The headers as they came: in order, repeated ones apart, `set-cookie` included in browsers too. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  /** A copy with the same additions; as in the standard, before the body is read. */
  clone(): RemoteResponse;
}

type Head = Pick<ResultOf<"http/request">, "status" | "headers">;

/** Whether a response has a body at all, by the Fetch standard. */
export function hasBody(method: string, status: number): boolean {
  return method !== "HEAD" && ![101, 103, 204, 205, 304].includes(status);
}

export function makeResponse(
  head: Head,
  url: string,
  body: ReadableStream<Uint8Array> | null,
): RemoteResponse {
  const { status } = head;
  const rawHeaders = head.headers.map(({ name, value }) => [name, value] as const);
  // The constructor refuses 1xx and 600 and above, but origins do send them.
  const isHoldable = status >= 200 && status <= 599;
  const response = new Response(body, {
    status: isHoldable ? status : 200,
    headers: platformHeaders(rawHeaders),
  });
  return complete(response, {
    url: { value: url },
    rawHeaders: { value: rawHeaders, enumerable: true },
    ...(isHoldable ? {} : { status: { value: status }, ok: { value: false } }),
  });
}

/** Lays over a response what its constructor does not take, and over its clones too. */
function complete(response: Response, own: PropertyDescriptorMap): RemoteResponse {
  const clone = { value: () => complete(Response.prototype.clone.call(response), own) };
  return Object.defineProperties(response, { ...own, clone }) as RemoteResponse;
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
