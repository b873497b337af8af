import { iterable } from "../internal/byte-stream.ts";
import type { Bytes } from "../internal/bytes.ts";
import type { ResultOf } from "../protocol/methods.ts";
import type { Body } from "./body.ts";
import { type DecodedBody, decodeBody } from "./decode.ts";

/** A standard response with the details that a standard one can't hold. */
export interface RemoteResponse extends Response {
  /**
   * The headers as received: in order, repeated ones separate, `set-cookie` included in browsers too. If the body was
   * decoded here, only these have its `content-encoding` and `content-length`.
   */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  /** A copy with the same details. As in the standard, it can only be made before the body is read. */
  clone(): RemoteResponse;
}

type Head = Pick<ResultOf<"http/request">, "status" | "headers">;
type BodyFailure = Pick<Body, "failure">;

const READERS = ["arrayBuffer", "blob", "bytes", "formData", "json", "text"] as const;

/** Whether a response has a body at all, by the Fetch standard. */
export function hasBody(method: string, status: number): boolean {
  return method !== "HEAD" && ![101, 103, 204, 205, 304].includes(status);
}

export function makeResponse(
  head: Head,
  url: string,
  stream: ReadableStream<Bytes> | null,
  body: Pick<Body, "failure" | "abandon">,
): RemoteResponse {
  const { status } = head;
  const decoded = stream ? decodeBody(head.headers, stream, body) : { stream, headers: head.headers };
  const rawHeaders = head.headers.map(({ name, value }) => [name, value] as const);
  // The constructor rejects other statuses, but origins send them.
  const isStandard = status >= 200 && status <= 599;
  const response = new Response(decoded.stream, {
    status: isStandard ? status : 200,
    headers: platformHeaders(decoded.headers),
  });
  return extend(response, body, {
    url: { value: url },
    rawHeaders: { value: rawHeaders, enumerable: true },
    ...(isStandard ? {} : { status: { value: status }, ok: { value: false } }),
  });
}

/** Defines on a response, and on its clones, the properties that the constructor does not accept. */
function extend(response: Response, body: BodyFailure, added: PropertyDescriptorMap): RemoteResponse {
  const members: PropertyDescriptorMap = {
    ...added,
    ...readers(response, body),
    // Each reading: a clone gives the original another stream, too.
    body: { get: () => iterableBody(response) },
    clone: { value: () => extend(Response.prototype.clone.call(response), body, added) },
  };
  return Object.defineProperties(response, members) as RemoteResponse;
}

function iterableBody(response: Response): Response["body"] {
  const body = Reflect.get(Response.prototype, "body", response);
  return body && iterable(body);
}

/** The methods that read the whole body. Those of Chromium reject with "Failed to fetch" instead of the stream's error. */
function readers(response: Response, body: BodyFailure): PropertyDescriptorMap {
  const all = READERS.filter((name) => name in response).map((name) => {
    const read = async (): Promise<unknown> => {
      try {
        return await Response.prototype[name].call(response);
      } catch (error) {
        throw body.failure ? body.failure.reason : error;
      }
    };
    return [name, { value: read }];
  });
  return Object.fromEntries(all);
}

function platformHeaders(pairs: DecodedBody["headers"]): Headers {
  const headers = new Headers();
  for (const { name, value } of pairs) {
    try {
      headers.append(name, value);
    } catch {
      // Not valid in a Headers object: only in `rawHeaders`.
    }
  }
  return headers;
}
