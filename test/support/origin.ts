import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A received request. */
export interface OriginRequest {
  readonly method: string;
  readonly url: string;
  /** In order; repeated headers are separate entries. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export type OriginAnswer = (response: ServerResponse, request: OriginRequest) => void;

/** A local HTTP server for requests of the exec-server. */
export class Origin implements AsyncDisposable {
  readonly requests: OriginRequest[] = [];
  answer: OriginAnswer;
  readonly #server: Server;

  private constructor(answer: OriginAnswer) {
    this.answer = answer;
    this.#server = createServer(async (message, response) => {
      const { method = "", url = "", rawHeaders } = message;
      const headers = rawHeaders.flatMap((name, at) =>
        at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ""] as const] : [],
      );
      const request = { method, url, headers, body: Buffer.concat(await message.toArray()) };
      this.requests.push(request);
      this.answer(response, request);
    });
  }

  static async start(answer: OriginAnswer = (response) => response.end()): Promise<Origin> {
    const origin = new Origin(answer);
    origin.#server.listen(0, "127.0.0.1");
    await once(origin.#server, "listening");
    return origin;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The last received request. */
  get latest(): OriginRequest {
    const request = this.requests.at(-1);
    if (!request) throw new Error("expected a request, but none has arrived");
    return request;
  }

  /** The values of one header of the last request, in order. */
  header(name: string): string[] {
    return this.latest.headers.filter(([other]) => other === name).map(([, value]) => value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
