import { type Deferred, deferred, unobserved } from "../internal/deferred.ts";
import type { RequestId } from "../protocol/json-rpc.ts";
import type { ReceivedMessage } from "./messages.ts";

/** What the server has asked the client on one connection. */
export class Asks {
  readonly #open = new Map<RequestId, Deferred<unknown>>();
  #count = 0;
  #end: Error | undefined;

  /** Makes an id for a question, and the promise of its answer. */
  add(): { id: string; answer: Promise<unknown> } {
    const id = `server-${++this.#count}`;
    const answer = deferred<unknown>();
    if (this.#end) answer.reject(this.#end);
    else this.#open.set(id, answer);
    return { id, answer: unobserved(answer.promise) };
  }

  settle({ id, result, error }: ReceivedMessage): void {
    if (id === undefined) return;
    const answer = this.#open.get(id);
    this.#open.delete(id);
    if (error) answer?.reject(new Error(`The client answered with error ${error.code}: ${error.message}`));
    else answer?.resolve(result);
  }

  /** No answer will come any more. */
  end(error: Error): void {
    this.#end = error;
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }
}
