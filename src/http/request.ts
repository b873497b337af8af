import { UsageError } from "../errors.ts";
import type { HttpHeader } from "../protocol/http.ts";

/** The standard options, and what only a request made by another machine has. */
export interface RemoteRequestInit extends RequestInit {
  /** Milliseconds the whole exchange may take, the body included; then a TimeoutError `ERR_TIMEOUT`. @default none */
  readonly timeoutMs?: number | undefined;
  /** Unread response body kept for the reader, in bytes; past that it fails with an OverflowError. @default 64 MiB */
  readonly maxBufferedBytes?: number | undefined;
  /** Headers whose values the server takes from its own environment: header name → variable. @default {} */
  readonly headersFromEnv?: Readonly<Record<string, string>> | undefined;
}

/** A request in any of its forms, understood; its body has not been touched. */
export interface PreparedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly HttpHeader[];
  readonly body: BodyInit | null;
  readonly redirect: RequestRedirect;
  readonly signal: AbortSignal | undefined;
}

/** Methods and names of headers are tokens, by RFC 9110. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** Throws a UsageError for what can't be sent. */
export function prepareRequest(input: string | URL | Request, init: RemoteRequestInit): PreparedRequest {
  const request = typeof input === "string" || input instanceof URL ? undefined : input;
  const url = checkUrl(request?.url ?? String(input));
  const method = checkMethod(init.method ?? request?.method ?? "GET");
  const body = init.body ?? request?.body ?? null;
  if (body !== null && /^(GET|HEAD)$/.test(method)) return invalid(`A ${method} request can't have a body`);
  if (init.body == null && request?.bodyUsed) return invalid("The body of the request was read already");
  return {
    method,
    url,
    headers: [...headersOf(init.headers ?? request?.headers), ...headersFromEnv(init.headersFromEnv)],
    body,
    redirect: init.redirect ?? request?.redirect ?? "follow",
    // Null is how a caller takes the request's own away.
    signal: (init.signal === undefined ? request?.signal : init.signal) ?? undefined,
  };
}

export function invalid(message: string): never {
  throw new UsageError("ERR_INVALID_ARGUMENT", message, { delivery: "not-sent" });
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

function checkMethod(method: string): string {
  return TOKEN.test(method) ? method.toUpperCase() : invalid("The method is malformed");
}

/** Pairs keep their order and repetition, which a Headers object can't. */
function headersOf(headers: HeadersInit | undefined): HttpHeader[] {
  // By their iterator: not every Headers object is of this realm's class.
  const pairs =
    headers && Symbol.iterator in headers
      ? [...(headers as Iterable<[string, string]>)]
      : Object.entries(headers ?? {});
  return pairs.map((pair) => {
    checkHeader(pair);
    return { name: String(pair[0]), value: String(pair[1]) };
  });
}

function headersFromEnv(variables: Readonly<Record<string, string>> = {}): HttpHeader[] {
  return Object.entries(variables).map(([name, valueEnvVar]) => {
    checkHeader([name, ""]);
    return { name, value: "", valueEnvVar };
  });
}

function checkHeader(pair: [name: string, value: string]): void {
  try {
    new Headers([pair]);
  } catch {
    // The platform's own text quotes what it was given, which may be a secret even in place of a name.
    const name = String(pair?.[0]);
    invalid(TOKEN.test(name) ? `The header ${name} is malformed` : "The name of a header is malformed");
  }
}
