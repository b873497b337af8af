import { type Deferred, deferred, unobserved } from "../internal/deferred.ts";
import type { RequestId } from "../protocol/json-rpc.ts";
import type { ReceivedMessage } from "./test-messages.ts";

/** The requests that the test server sends to the client of one connection, until their responses arrive. */
export class ServerRequests {
  readonly #pending = new Map<RequestId, Deferred<unknown>>();
  #count = 0;
  #end: Error | undefined;

  /** Returns the id for a new request, and the promise of its response. */
  add(): { id: string; response: Promise<unknown> } {
    const id = `server-${++this.#count}`;
    const response = deferred<unknown>();
    if (this.#end) response.reject(this.#end);
    else this.#pending.set(id, response);
    return { id, response: unobserved(response.promise) };
  }

  /** Settles the request that a response from the client belongs to. */
  settle({ id, result, error }: ReceivedMessage): void {
    if (id === undefined) return;
    const response = this.#pending.get(id);
    this.#pending.delete(id);
    if (error) response?.reject(new Error(`The client answered with error ${error.code}: ${error.message}`));
    else response?.resolve(result);
  }

  /** Rejects every pending and every later request. */
  end(error: Error): void {
    this.#end = error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
