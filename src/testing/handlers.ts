import { type Deferred, deferred } from "../internal/deferred.ts";
import { RPC_INTERNAL_ERROR, RPC_METHOD_NOT_FOUND } from "../protocol/json-rpc.ts";
import { silence, type TestRequest, type TestResult } from "./messages.ts";
import type { TestConnection } from "./test-connection.ts";

type Answer<M extends string> = TestResult<M> | typeof silence;

/**
 * Answers requests of one method: returns the result, or a promise of it, or {@link silence}. A `ServerError` that it
 * throws is the answer, with its `rpcCode`, message and `data`; anything else it throws is an internal error.
 */
export type TestHandler<M extends string = string> = (
  request: TestRequest<M>,
  connection: TestConnection,
) => Answer<M> | PromiseLike<Answer<M>>;

/** Who answers what. */
export class Handlers {
  readonly #handlers = new Map<string, { readonly handle: TestHandler }[]>();
  readonly #holds = new Map<string, Set<Deferred<void>>>();
  readonly #answersUnhandled: boolean;

  constructor(answersUnhandled: boolean) {
    this.#answersUnhandled = answersUnhandled;
  }

  /** The latest handler of a method is the one that is asked. Returns what takes it away again. */
  add(method: string, handle: TestHandler): () => void {
    const entry = { handle };
    const entries = this.#handlers.get(method) ?? [];
    this.#handlers.set(method, [...entries, entry]);
    return () => {
      const left = this.#handlers.get(method)?.filter((other) => other !== entry) ?? [];
      this.#handlers.set(method, left);
    };
  }

  /** Requests of a method wait. Returns what lets them go to their handler, in order. */
  hold(method: string): () => void {
    const hold = deferred<void>();
    const holds = this.#holds.get(method) ?? new Set();
    this.#holds.set(method, holds.add(hold));
    return () => {
      holds.delete(hold);
      hold.resolve();
    };
  }

  handle(request: TestRequest, connection: TestConnection): void {
    if (this.#holds.get(request.method)?.size) void this.#handleLater(request, connection);
    else this.#handleNow(request, connection);
  }

  async #handleLater(request: TestRequest, connection: TestConnection): Promise<void> {
    const holds = this.#holds.get(request.method) ?? new Set();
    for (const hold of holds) await hold.promise;
    if (connection.isUnanswered(request)) this.#handleNow(request, connection);
  }

  #handleNow(request: TestRequest, connection: TestConnection): void {
    const handler = this.#handlers.get(request.method)?.at(-1);
    if (!handler) {
      this.#refuseUnhandled(request, connection);
      return;
    }
    try {
      const outcome = handler.handle(request, connection);
      if (!isThenable(outcome)) answer(request, connection, outcome);
      else {
        outcome.then(
          (result) => answer(request, connection, result),
          (error) => fail(request, connection, error),
        );
      }
    } catch (error) {
      fail(request, connection, error);
    }
  }

  #refuseUnhandled(request: TestRequest, connection: TestConnection): void {
    if (!this.#answersUnhandled) return;
    const { method } = request;
    const message = `the test server has no handler for ${method}: add server.handle("${method}", (request) => result)`;
    connection.refuse(request, RPC_METHOD_NOT_FOUND, message);
  }
}

function answer(request: TestRequest, connection: TestConnection, result: unknown): void {
  if (result === silence || !connection.isUnanswered(request)) return;
  if (result === undefined) {
    fail(request, connection, new Error("it returned nothing: return a result, or `silence` for no answer"));
  } else connection.answer(request, result);
}

function fail(request: TestRequest, connection: TestConnection, error: unknown): void {
  if (!connection.isUnanswered(request)) return;
  const { rpcCode, message, data } = (error ?? {}) as Partial<
    Record<"rpcCode" | "message" | "data", unknown>
  >;
  if (typeof rpcCode === "number") connection.refuse(request, rpcCode, String(message), data);
  else {
    const words = `the test's handler of ${request.method} failed: ${String(message ?? error)}`;
    connection.refuse(request, RPC_INTERNAL_ERROR, words);
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === "function";
}
