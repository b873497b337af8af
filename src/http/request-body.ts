import { UsageError } from "../errors.ts";
import { untilAborted } from "../internal/abort.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { concatBytes } from "../internal/bytes.ts";
import { unobserved } from "../internal/deferred.ts";
import type { HttpHeader } from "../protocol/http.ts";
import { invalid, type PreparedRequest } from "./request.ts";

/** As base64 in a frame it still fits below the largest one that may be sent. */
const MAX_BODY = 11 * 1024 * 1024;

/**
 * Reads a request's body to its end, since the wire takes it whole; a signal that aborts ends that. Returns the
 * headers too: the body tells its own type unless they do.
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

/** The platform knows how to turn every kind of body into bytes, and what type that makes. */
function asResponse(body: BodyInit): Response {
  try {
    return new Response(body);
  } catch {
    return invalid("The body of the request can't be read, or was read already");
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
      if (!(value instanceof Uint8Array)) return invalid("The stream of a request body must be one of bytes");
      chunks.push(value);
      length += value.length;
      if (length > MAX_BODY) return tooLarge();
    }
  } catch (error) {
    // Its source may take its time, or fail; neither changes what the caller is told.
    void unobserved(reader.cancel(error));
    throw error;
  }
}

function tooLarge(): never {
  throw new UsageError("ERR_TOO_LARGE", `The body of a request must stay below ${MAX_BODY} bytes`, {
    delivery: "not-sent",
  });
}
