import { invalid, received } from "../internal/arguments.ts";
import { TOKEN } from "../internal/http-syntax.ts";
import {
  anAbortSignal,
  anObject,
  aString,
  byteCount,
  checkOptions,
  either,
  milliseconds,
  oneOf,
  type Rules,
} from "../internal/option-rules.ts";
import type { HttpHeader } from "../protocol/http.ts";

/** The standard options of `fetch`, and those of a request that another machine makes. */
export interface RemoteRequestInit extends RequestInit {
  /** Time limit of the exchange in milliseconds, body included; then a TimeoutError `ERR_TIMEOUT`. @default none */
  readonly timeoutMs?: number | undefined;
  /** Limit of unread response body in bytes; beyond it the body fails with an OverflowError. @default 64 MiB */
  readonly maxBufferedBytes?: number | undefined;
  /** Headers whose values the server reads from its own environment: header name → variable. @default {} */
  readonly headersFromEnv?: Readonly<Record<string, string>> | undefined;
}

type CheckedInit = Omit<RemoteRequestInit, keyof RequestInit> & {
  readonly [Name in "signal" | "method" | "headers" | "redirect"]?: RequestInit[Name] | undefined;
};

const INIT_RULES: Rules<CheckedInit> = {
  timeoutMs: milliseconds,
  maxBufferedBytes: byteCount,
  signal: anAbortSignal,
  method: aString,
  headers: either(anObject, (value) => (Array.isArray(value) ? undefined : "pairs of strings")),
  redirect: oneOf("follow", "error", "manual"),
  headersFromEnv: (value) =>
    typeof value === "object" && value !== null && Object.values(value).every(isStringOrMissing)
      ? undefined
      : "an object with names of variables",
};

/** A checked request in one form. Its body is unread. */
export interface PreparedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly HttpHeader[];
  /** Of any kind that `fetch` takes, also of another realm. */
  readonly body: unknown;
  readonly redirect: RequestRedirect;
  readonly signal: AbortSignal | undefined;
}

/** Details of the errors that are thrown before a request is sent. */
export const NOT_SENT = { delivery: "not-sent" } as const;

/**
 * Checks the options that are read. Unknown ones are ignored: libraries with a custom `fetch` pass those of their
 * platform. Null stands for an option that is not given, as in most runtimes.
 */
export function checkInit({
  timeoutMs,
  maxBufferedBytes,
  headersFromEnv,
  signal,
  method,
  headers,
  redirect,
}: RemoteRequestInit): void {
  checkOptions<CheckedInit>(
    "init",
    {
      timeoutMs,
      maxBufferedBytes,
      headersFromEnv,
      signal: signal ?? undefined,
      method: method ?? undefined,
      headers: headers ?? undefined,
      redirect: redirect ?? undefined,
    },
    INIT_RULES,
  );
}

/** The caller's signal. Null in the options removes the signal of the Request. */
export function signalOf(input: string | URL | Request, init: RemoteRequestInit): AbortSignal | undefined {
  return (init.signal === undefined ? requestOf(input)?.signal : init.signal) ?? undefined;
}

/** Throws a UsageError for a request that can't be sent. */
export function prepareRequest(input: string | URL | Request, init: RemoteRequestInit): PreparedRequest {
  const request = requestOf(input);
  const url = checkUrl(request?.url ?? String(input));
  const method = checkMethod(init.method ?? request?.method ?? "GET");
  const body = init.body ?? bodyOf(request, method);
  if (body !== null && /^(GET|HEAD)$/.test(method))
    return invalid(`body must be null in a ${method} request, got ${received(body)}`, NOT_SENT);
  if (init.body == null && request?.bodyUsed)
    return invalid("input must be a Request with an unread body, got one that was read", NOT_SENT);
  return {
    method,
    url,
    headers: [...headersOf(init.headers ?? request?.headers), ...headersFromEnv(init.headersFromEnv)],
    body,
    redirect: init.redirect ?? request?.redirect ?? "follow",
    signal: signalOf(input, init),
  };
}

/** By its members: the Request may come from another realm, or from a library. */
function requestOf(input: string | URL | Request): Request | undefined {
  return typeof (input as Partial<Request> | null)?.url === "string" ? (input as Request) : undefined;
}

/** Firefox before 145 shows no body of a Request: there, the Request is read as a whole. */
function bodyOf(request: Request | undefined, method: string): unknown {
  if (request === undefined || request.body !== undefined || /^(GET|HEAD)$/.test(method))
    return request?.body ?? null;
  return request;
}

function checkUrl(text: string): string {
  if (!URL.canParse(text))
    return invalid("input must be an absolute URL, got a relative or invalid one", NOT_SENT);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    return invalid(`input must be an http: or https: URL, got one with ${url.protocol}`, NOT_SENT);
  if (url.username !== "" || url.password !== "")
    return invalid("input must be a URL without credentials, got one with credentials", NOT_SENT);
  // A fragment is not sent.
  url.hash = "";
  return url.href;
}

function checkMethod(method: string): string {
  return TOKEN.test(method)
    ? method.toUpperCase()
    : invalid(`method must be an HTTP token, got ${received(method)}`, NOT_SENT);
}

/** Pairs keep their order and repetitions, which a Headers object can't. */
function headersOf(headers: HeadersInit | undefined): HttpHeader[] {
  // Recognised by the iterator: a Headers object can be of another realm.
  const pairs =
    headers && Symbol.iterator in headers
      ? [...(headers as Iterable<[string, string]>)]
      : Object.entries(headers ?? {});
  return pairs.map((pair) => {
    checkHeader("headers", pair);
    return { name: String(pair[0]), value: String(pair[1]) };
  });
}

function headersFromEnv(variables: Readonly<Record<string, string>> = {}): HttpHeader[] {
  return Object.entries(variables).flatMap(([name, valueEnvVar]) => {
    checkHeader("headersFromEnv", [name, ""]);
    if (name.toLowerCase() === "content-length")
      return invalid("headersFromEnv must not contain content-length, which is that of the body", NOT_SENT);
    return valueEnvVar === undefined ? [] : [{ name, value: "", valueEnvVar }];
  });
}

function isStringOrMissing(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function checkHeader(option: string, pair: [name: string, value: string]): void {
  try {
    new Headers([pair]);
  } catch {
    // The error of the platform quotes its arguments. Even a malformed name can contain a secret.
    const name = String(pair?.[0]);
    const wrong = TOKEN.test(name) ? `an invalid value for ${name}` : "an invalid name";
    invalid(`${option} must be valid HTTP headers, got ${wrong}`, NOT_SENT);
  }
}
