import { ServerError } from "../errors/server.ts";
import type { Awaitable } from "../internal/awaitable.ts";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import { unobserved } from "../internal/deferred.ts";
import type { HttpRequestParams } from "../protocol/http.ts";
import { RPC_INTERNAL_ERROR, RPC_METHOD_NOT_FOUND } from "../protocol/json-rpc.ts";
import type { TestHandler } from "./handlers.ts";
import { Registrations } from "./registrations.ts";
import type { TestConnection } from "./test-connection.ts";

/**
 * Plays the origins that an app reaches through the server. Returns the response, or undefined to pass the request on
 * to the handler before it. An error it throws fails the request, as an unreachable network does.
 */
export type FetchHandler = (request: Request) => Awaitable<Response | undefined>;

/** Answers the HTTP requests that a client sends through the test server. */
export class Origins {
  readonly #handlers = new Registrations<FetchHandler>();
  readonly #decodesGzip: boolean;

  /** @param decodesGzip Whether bodies arrive decoded, without their content-encoding and content-length. */
  constructor(decodesGzip: boolean) {
    this.#decodesGzip = decodesGzip;
  }

  add(handler: FetchHandler): () => void {
    return this.#handlers.add(handler);
  }

  readonly request: TestHandler<"http/request"> = async ({ params }, connection) => {
    const found = await this.#fetch(params);
    const response = this.#decodesGzip ? withoutGzip(found) : found;
    const { status, body } = response;
    const headers = [...response.headers].map(([name, value]) => ({ name, value }));
    if (params.streamResponse) {
      void sendBody(body, params.requestId, connection);
      return { status, headers, bodyBase64: "" };
    }
    return { status, headers, bodyBase64: encodeBase64(new Uint8Array(await response.arrayBuffer())) };
  };

  async #fetch(params: HttpRequestParams): Promise<Response> {
    for (const handler of this.#handlers.all) {
      const response = await attempt(() => handler(requestOf(params)));
      if (response) return response;
    }
    const { method, url } = params;
    const message = `the test server has no response for ${method} ${url}: add server.onFetch((request) => new Response("…"))`;
    throw new ServerError(message, { rpcCode: RPC_METHOD_NOT_FOUND });
  }
}

async function attempt<T>(work: () => Awaitable<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw new ServerError(`http/request failed: ${String(error)}`, { rpcCode: RPC_INTERNAL_ERROR });
  }
}

function withoutGzip(response: Response): Response {
  if (response.headers.get("content-encoding") !== "gzip" || !response.body) return response;
  const headers = new Headers(response.headers);
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  const decoder = new DecompressionStream("gzip") as ReadableWritablePair<Uint8Array, Uint8Array>;
  return new Response(response.body.pipeThrough(decoder), { status: response.status, headers });
}

function requestOf({ method, url, headers, bodyBase64 }: HttpRequestParams): Request {
  const pairs = headers.map(({ name, value, valueEnvVar }): [string, string] => {
    // A real server takes the value from its environment. A test server has none and shows the variable's name.
    return [name, valueEnvVar === undefined ? value : `$${valueEnvVar}`];
  });
  const body = bodyBase64 === null ? null : (decodeBase64(bodyBase64) ?? null);
  return new Request(url, { method, headers: pairs, body });
}

async function sendBody(
  body: ReadableStream<Uint8Array> | null,
  requestId: string,
  connection: TestConnection,
): Promise<void> {
  let seq = 0;
  const send = (bytes: Uint8Array, end: object = {}): void =>
    connection.notify("http/request/bodyDelta", {
      requestId,
      seq: ++seq,
      deltaBase64: encodeBase64(bytes),
      done: false,
      ...end,
    });
  // The response to the request is sent first.
  await undefined;
  try {
    const reader = body?.getReader();
    // Also one that waits for its next chunk.
    void unobserved(connection.ended.then(() => reader?.cancel()));
    while (reader) {
      const { done, value } = await reader.read();
      if (done) break;
      send(value);
    }
    send(new Uint8Array(), { done: true });
  } catch (error) {
    send(new Uint8Array(), { done: true, error: String(error) });
  }
}
