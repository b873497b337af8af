import { deferred } from "../internal/deferred.ts";
import type { ConnectionFailure } from "./errors.ts";

/** How a connection ended, for the timeline. */
export interface Ending {
  /** The server closed the connection, the connection broke without a close, or this side closed it. */
  readonly closedBy: "client" | "server" | "network";
  /** The methods of the requests without a response. */
  readonly unanswered: readonly string[];
}

export type EndListener = (failure: ConnectionFailure, ending: Ending) => void;

/** The end of a connection, which comes once: first nothing is sent any more, then everything pending has rejected. */
export class EndLatch {
  readonly #listeners = new Set<EndListener>();
  readonly #ended = deferred<ConnectionFailure>();
  #failure: ConnectionFailure | undefined;
  #ending: Ending | undefined;

  /** Why the connection has ended; undefined while it has not. */
  get failure(): ConnectionFailure | undefined {
    return this.#failure;
  }

  /** Resolves with the failure after the listeners were called. */
  get ended(): Promise<ConnectionFailure> {
    return this.#ended.promise;
  }

  /** Calls the listener once; immediately if the connection has ended. Returns a function that removes it. */
  onEnd(listener: EndListener): () => void {
    if (this.#failure && this.#ending) listener(this.#failure, this.#ending);
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Begins the end. Returns false if it has begun already. */
  begin(failure: ConnectionFailure): boolean {
    if (this.#failure) return false;
    this.#failure = failure;
    return true;
  }

  /** Completes the end that was begun. */
  complete(ending: Ending): void {
    const failure = this.#failure as ConnectionFailure;
    this.#ending = ending;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(failure, ending);
    this.#ended.resolve(failure);
  }
}
