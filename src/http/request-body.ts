import { UsageError } from "../errors.ts";
import { untilAborted } from "../internal/abort.ts";
import { invalid } from "../internal/arguments.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { concatBytes } from "../internal/bytes.ts";
import { unobserved } from "../internal/deferred.ts";
import type { HttpHeader } from "../protocol/http.ts";
import { NOT_SENT, type PreparedRequest } from "./request.ts";

/** Limit of a request body in bytes. As base64 it fits into the largest frame that may be sent. */
const MAX_BODY = 11 * 1024 * 1024;

/**
 * Reads the body of a request to its end or until the signal aborts: the protocol sends it as a whole. Also returns the
 * headers, with the content type of the body unless they contain one.
 */
export async function readBody(
  { body, headers }: PreparedRequest,
  signal: AbortSignal,
): Promise<{ headers: readonly HttpHeader[]; bodyBase64: string | null }> {
  if (body === null) return { headers, bodyBase64: null };
  const response = asResponse(body);
  const bytes = response.body ? await readAll(response.body.getReader(), signal) : new Uint8Array();
  const type = response.headers.get("content-type");
  const isTyped = headers.some(({ name }) => name.toLowerCase() === "content-type");
  return {
    headers: type === null || isTyped ? headers : [...headers, { name: "content-type", value: type }],
    bodyBase64: encodeBase64(bytes),
  };
}

/** The platform converts every kind of body to bytes and knows its content type. */
function asResponse(body: BodyInit): Response {
  try {
    return new Response(body);
  } catch {
    return invalid("body must be an unread body, got one that is locked or was read", NOT_SENT);
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await untilAborted(reader.read(), signal);
      if (done) return concatBytes(chunks);
      if (!(value instanceof Uint8Array))
        return invalid(`body must be a stream of Uint8Array, got a chunk of type ${typeof value}`, NOT_SENT);
      chunks.push(value);
      length += value.length;
      if (length > MAX_BODY) return tooLarge(length);
    }
  } catch (error) {
    // Not awaited: the source may be slow or fail, which does not change the outcome.
    void unobserved(reader.cancel(error));
    throw error;
  }
}

function tooLarge(length: number): never {
  const message = `body must be at most ${MAX_BODY} bytes, got at least ${length}`;
  throw new UsageError("ERR_TOO_LARGE", message, NOT_SENT);
}
