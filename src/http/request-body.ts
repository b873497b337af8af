import { UsageError } from "../errors/usage.ts";
import { untilAborted } from "../internal/abort.ts";
import { invalid, received } from "../internal/arguments.ts";
import { concatBytes, utf8 } from "../internal/bytes.ts";
import { unobserved } from "../internal/deferred.ts";
import { isAsyncIterable, isBlob, isReadableStream, isUint8Array, viewOf } from "../internal/realms.ts";
import type { HttpHeader } from "../protocol/http.ts";
import type { LiveSignal } from "../rpc/live-signal.ts";
import { NOT_SENT, type PreparedRequest } from "./request.ts";

/** Limit of a request body in bytes. As base64 it fits into the largest frame that may be sent. */
const MAX_BODY = 11 * 1024 * 1024;

/** What is sent of a body: its bytes, and the headers with those that the body implies. */
export interface Content {
  readonly headers: readonly HttpHeader[];
  readonly bytes: Uint8Array | null;
}

/** Where the bytes of a body come from, and the content type that its kind implies. */
interface Source {
  readonly bytes: Uint8Array | Reader;
  readonly type?: string | null | undefined;
}

interface Reader {
  read(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  cancel(reason: unknown): unknown;
}

/**
 * Reads the body of a request to its end or until the signal aborts: the protocol sends it as a whole. Also returns the
 * headers, with the content type of the body unless they contain one.
 *
 * @param watch Called before a stream is read: its signal ends the reading.
 * @throws UsageError `ERR_INVALID_ARGUMENT` for a body that can't be read, or a `content-length` that is not the body's.
 */
export async function readBody(
  { method, body, headers }: PreparedRequest,
  signal: AbortSignal,
  watch: () => LiveSignal,
): Promise<Content> {
  if (body === null) {
    return { headers: withLength(headers, 0, /^(POST|PUT)$/.test(method)), bytes: null };
  }
  const source = sourceOf(body);
  const { bytes: from, type } = source instanceof Promise ? await untilAborted(source, signal) : source;
  const bytes = isUint8Array(from) ? from : await readAll(from, watch);
  if (bytes.length > MAX_BODY) return tooLarge(bytes.length);
  const all = withLength(headers, bytes.length, bytes.length === 0);
  const isTyped = !type || headers.some(({ name }) => name.toLowerCase() === "content-type");
  return {
    headers: isTyped ? all : [...all, { name: "content-type", value: type }],
    // The caller may change its memory while the request waits.
    bytes: from === bytes ? bytes.slice() : bytes,
  };
}

/**
 * Refuses a wrong `content-length`: the origin would wait for missing bytes, or take the others for another request.
 *
 * @param isNeeded Whether to add the header. The server omits it for an empty body; some origins then wait for one.
 */
function withLength(
  headers: readonly HttpHeader[],
  length: number,
  isNeeded: boolean,
): readonly HttpHeader[] {
  const given = headers.filter(({ name }) => name.toLowerCase() === "content-length");
  if (given.some(({ value }) => value.trim() !== String(length))) {
    return invalid(`The content-length header must be that of the body, ${length}, or missing`, NOT_SENT);
  }
  return isNeeded && given.length === 0
    ? [...headers, { name: "content-length", value: `${length}` }]
    : headers;
}

/** By the kind of a body, and never by its class: values of other realms are read, too. */
function sourceOf(body: unknown): Source | Promise<Source> {
  if (typeof body === "string") return { bytes: utf8(body), type: "text/plain;charset=UTF-8" };
  const bytes = viewOf(body);
  if (bytes) return { bytes };
  const tag = Object.prototype.toString.call(body);
  if (tag === "[object URLSearchParams]") {
    return { bytes: utf8(String(body)), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  }
  if (isReadableStream(body)) return { bytes: readerOf(body) };
  if (isBlob(body)) return { bytes: readerOf(body.stream()), type: body.type };
  if (tag === "[object Blob]" || tag === "[object File]") return fileReaderSource(body as Blob);
  if (isForm(body, tag)) return formSource(body);
  if (isAsyncIterable(body)) return { bytes: iterableReader(body) };
  // A Request that hides its body.
  if (typeof (body as Partial<Request>).arrayBuffer === "function") {
    return (body as Request).arrayBuffer().then((buffer) => ({ bytes: new Uint8Array(buffer) }));
  }
  const text = String(body);
  if (text.startsWith("[object ")) return notABody(received(body));
  return { bytes: utf8(text), type: "text/plain;charset=UTF-8" };
}

function notABody(got: string): never {
  const kinds = "a string, bytes, a Blob, FormData, URLSearchParams or a stream of bytes";
  return invalid(`body must be ${kinds}, got ${got}`, NOT_SENT);
}

function readerOf(stream: ReadableStream): Reader {
  try {
    // Of its own streams, the platform also knows which were read before.
    if (typeof ReadableStream === "function" && stream instanceof ReadableStream) new Response(stream);
    return stream.getReader();
  } catch {
    return invalid("body must be an unread body, got one that is locked or was read", NOT_SENT);
  }
}

/** By its tag, or by its methods: happy-dom's forms have no tag. URLSearchParams have the methods too, and `sort`. */
function isForm(body: unknown, tag: string): body is FormData {
  const { append, getAll, sort, [Symbol.iterator]: entries } = body as FormData & { sort?: unknown };
  const hasMethods = typeof append === "function" && typeof getAll === "function" && sort === undefined;
  return (tag === "[object FormData]" || hasMethods) && typeof entries === "function";
}

/** Node's streams and async generators, which Node's `fetch` takes, too. */
function iterableReader(body: AsyncIterable<unknown>): Reader {
  const iterator = body[Symbol.asyncIterator]();
  return { read: () => iterator.next(), cancel: () => iterator.return?.() };
}

/** The Blobs of jsdom can be read only by its FileReader. */
function fileReaderSource(blob: Blob): Promise<Source> {
  if (typeof FileReader !== "function") return notABody("a Blob without stream()");
  const reader = new FileReader();
  return new Promise((resolve, reject) => {
    reader.onload = () => resolve({ bytes: viewOf(reader.result) as Uint8Array, type: blob.type });
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(blob);
  });
}

/** The platform encodes forms, but only its own. */
async function formSource(form: FormData): Promise<Source> {
  const own = new FormData();
  for (const [name, value] of form) {
    if (typeof value === "string") own.append(name, value);
    else {
      const { bytes } = await sourceOf(value);
      const content = isUint8Array(bytes) ? bytes : await readAll(bytes);
      own.append(name, new Blob([content as Uint8Array<ArrayBuffer>], { type: value.type }), value.name);
    }
  }
  const response = new Response(own);
  return { bytes: new Uint8Array(await response.arrayBuffer()), type: response.headers.get("content-type") };
}

async function readAll(reader: Reader, watch?: () => LiveSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const live = watch?.();
  try {
    for (;;) {
      const { done, value } = await untilAborted(Promise.resolve(reader.read()), live?.signal);
      if (done) return concatBytes(chunks);
      if (!isUint8Array(value))
        return invalid(`body must be a stream of Uint8Array, got a chunk of type ${typeof value}`, NOT_SENT);
      chunks.push(value);
      length += value.length;
      if (length > MAX_BODY) return tooLarge(length);
    }
  } catch (error) {
    // Not awaited: the source may be slow or fail, which does not change the outcome.
    void unobserved(Promise.resolve(reader.cancel(error)));
    throw error;
  } finally {
    live?.unlink();
  }
}

function tooLarge(length: number): never {
  const message = `body must be at most ${MAX_BODY} bytes, got at least ${length}`;
  throw new UsageError("ERR_TOO_LARGE", message, NOT_SENT);
}
