import { byteStream } from "../internal/byte-stream.ts";
import type { Bytes } from "../internal/bytes.ts";
import { unobserved } from "../internal/deferred.ts";
import type { HttpHeader } from "../protocol/http.ts";
import type { Body } from "./body.ts";

type Decoder = ReadableWritablePair<Bytes, Bytes>;

/** What `DecompressionStream` calls the content codings of HTTP. Runtimes have gzip and deflate, and some the others. */
const FORMATS: Readonly<Record<string, string>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "brotli",
  zstd: "zstd",
};

/** A body without its content coding, and the headers that describe it then. */
export interface DecodedBody {
  readonly stream: ReadableStream<Bytes>;
  readonly headers: readonly HttpHeader[];
}

/** Decodes the body that a server has left compressed, if this runtime can. Otherwise it stays as it is. */
export function decodeBody(
  headers: readonly HttpHeader[],
  stream: ReadableStream<Bytes>,
  body: Pick<Body, "failure" | "abandon">,
): DecodedBody {
  const is = (header: HttpHeader, ...names: string[]): boolean => names.includes(header.name.toLowerCase());
  const [coding, ...others] = headers.filter((header) => is(header, "content-encoding"));
  const format = FORMATS[coding?.value.trim().toLowerCase() ?? ""];
  const decoder = others.length === 0 && format ? makeDecoder(format) : undefined;
  if (!decoder) return { stream, headers };
  return {
    stream: decoded(stream, decoder, body),
    headers: headers.filter((header) => !is(header, "content-encoding", "content-length")),
  };
}

/** Undefined if the runtime does not have the format, or no decoders at all. */
function makeDecoder(format: string): Decoder | undefined {
  try {
    return new DecompressionStream(format as CompressionFormat) as Decoder;
  } catch {
    return undefined;
  }
}

function decoded(
  source: ReadableStream<Bytes>,
  decoder: Decoder,
  body: Pick<Body, "failure" | "abandon">,
): ReadableStream<Bytes> {
  const input = source.getReader();
  const writer = decoder.writable.getWriter();
  const output = decoder.readable.getReader();
  const feed = async (first: Bytes): Promise<void> => {
    for (let chunk: Bytes | undefined = first; chunk; chunk = (await input.read()).value) {
      await writer.write(chunk);
    }
    await writer.close();
  };
  /** Resolves with whether there is anything to decode: an empty body is in no format. */
  const start = async (): Promise<boolean> => {
    const { done, value } = await input.read();
    if (!done) feed(value).catch((error) => void unobserved(writer.abort(error)));
    return !done;
  };
  let started: Promise<boolean> | undefined;
  return byteStream({
    async next() {
      try {
        started ??= start();
        return (await started) ? (await output.read()).value : undefined;
      } catch {
        if (body.failure) throw body.failure.reason;
        body.abandon();
        throw new TypeError("The response body is not in the format that its content-encoding names");
      }
    },
    cancel() {
      void unobserved(input.cancel());
      void unobserved(output.cancel());
    },
  }).stream;
}
