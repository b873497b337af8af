import { UsageError } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { concatBytes } from "../internal/bytes.ts";
import type { HttpHeader, HttpRequestParams } from "../protocol/http.ts";

/** The standard options, and what only a request made by another machine has. */
export interface RemoteRequestInit extends RequestInit {
  /** Milliseconds the whole exchange may take, the body included. @default none */
  readonly timeoutMs?: number | undefined;
  /** Unread response body kept for the reader, in bytes; past that it fails with an OverflowError. @default 64 MiB */
  readonly maxBufferedBytes?: number | undefined;
  /** Headers whose values the server takes from its own environment: header name → variable. @default {} */
  readonly headersFromEnv?: Readonly<Record<string, string>> | undefined;
}

export interface PreparedRequest {
  readonly params: Omit<HttpRequestParams, "requestId" | "streamResponse">;
  readonly url: string;
  readonly redirect: RequestRedirect;
  readonly signal: AbortSignal | undefined;
}

/** As base64 in a frame it still fits below the largest one that may be sent. */
const MAX_BODY = 11 * 1024 * 1024;

/** Reads a request in any of its forms; throws a UsageError for what can't be sent. */
export async function prepareRequest(
  input: string | URL | Request,
  init: RemoteRequestInit = {},
): Promise<PreparedRequest> {
  const request = typeof input === "string" || input instanceof URL ? undefined : input;
  const url = checkUrl(request?.url ?? String(input));
  const method = (init.method ?? request?.method ?? "GET").toUpperCase();
  const redirect = init.redirect ?? request?.redirect ?? "follow";
  const source = init.body ?? (request?.bodyUsed === false ? request.body : null);
  if (source !== null && /^(GET|HEAD)$/.test(method)) return invalid(`A ${method} request can't have a body`);

  const body = source === null ? undefined : await readBody(source);
  const headers = headerPairs(init.headers ?? request?.headers);
  const hasType = headers.some(({ name }) => name.toLowerCase() === "content-type");
  if (body?.type && !hasType) headers.push({ name: "content-type", value: body.type });
  for (const [name, variable] of Object.entries(init.headersFromEnv ?? {})) {
    headers.push({ name, value: "", valueEnvVar: variable });
  }
  return {
    url,
    redirect,
    signal: init.signal ?? request?.signal ?? undefined,
    params: {
      method,
      url,
      headers,
      bodyBase64: body ? encodeBase64(body.bytes) : null,
      redirectPolicy: redirect === "follow" ? "follow" : "stop",
    },
  };
}

function checkUrl(text: string): string {
  if (!URL.canParse(text)) return invalid("The URL of a request must be absolute");
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    return invalid(`A request can't have a ${url.protocol} URL`);
  if (url.username !== "" || url.password !== "")
    return invalid("The URL of a request must not hold credentials");
  // Never part of a request.
  url.hash = "";
  return url.href;
}

/** Pairs keep their order and repetition, which a Headers object can't. */
function headerPairs(headers: HeadersInit | undefined): HttpHeader[] {
  const pairs: [string, string][] = Array.isArray(headers)
    ? (headers as [string, string][])
    : headers instanceof Headers
      ? [...headers]
      : Object.entries(headers ?? {});
  for (const pair of pairs) {
    try {
      new Headers([pair]);
    } catch {
      // The platform's own text quotes the value.
      return invalid(`The header ${String(pair[0]).replace(/[^\w-]/g, "?")} is malformed`);
    }
  }
  return pairs.map(([name, value]) => ({ name, value: String(value) }));
}

/** The platform knows how to turn every kind of body into bytes, and what type that makes. */
async function readBody(source: BodyInit): Promise<{ bytes: Uint8Array; type: string | null }> {
  const response = new Response(source);
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (response.body) {
    const reader = response.body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
      length += next.value.length;
      if (length <= MAX_BODY) continue;
      await reader.cancel();
      throw new UsageError("ERR_TOO_LARGE", `The body of a request must stay below ${MAX_BODY} bytes`, {
        delivery: "not-sent",
      });
    }
  }
  return { bytes: concatBytes(chunks), type: response.headers.get("content-type") };
}

function invalid(message: string): never {
  throw new UsageError("ERR_INVALID_ARGUMENT", message, { delivery: "not-sent" });
}
