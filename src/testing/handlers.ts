import type { Awaitable } from "../internal/awaitable.ts";
import { RPC_INTERNAL_ERROR, RPC_METHOD_NOT_FOUND } from "../protocol/json-rpc.ts";
import { Holds } from "./holds.ts";
import { Registrations } from "./registrations.ts";
import type { TestConnection } from "./test-connection.ts";
import { silence, type TestRequest, type TestResult } from "./test-messages.ts";

/**
 * Handles requests of one method. Returns the result, a promise of it, or {@link silence}. A thrown `ServerError` is
 * sent as the response, with its `rpcCode`, message and `data`. Any other error becomes an internal error.
 */
export type TestHandler<M extends string = string> = (
  request: TestRequest<M>,
  connection: TestConnection,
) => Awaitable<TestResult<M> | typeof silence>;

/** Dispatches requests to the handlers of a test server. */
export class Handlers {
  readonly #handlers = new Map<string, Registrations<TestHandler>>();
  readonly #holds = new Map<string, Holds>();
  readonly #refusesUnhandled: boolean;

  constructor(refusesUnhandled: boolean) {
    this.#refusesUnhandled = refusesUnhandled;
  }

  /** Registers a handler, which replaces earlier ones of the method. Returns the function that removes it. */
  add(method: string, handler: TestHandler): () => void {
    const handlers = this.#handlers.get(method) ?? new Registrations();
    this.#handlers.set(method, handlers);
    return handlers.add(handler);
  }

  /** Keeps requests of a method pending. Returns the function that passes them to their handler, in order. */
  hold(method: string): () => void {
    const holds = this.#holds.get(method) ?? new Holds();
    this.#holds.set(method, holds);
    return holds.add();
  }

  handle(request: TestRequest, connection: TestConnection): void {
    const holds = this.#holds.get(request.method);
    if (holds && !holds.isEmpty) void this.#handleWhenReleased(holds, request, connection);
    else this.#handleNow(request, connection);
  }

  async #handleWhenReleased(holds: Holds, request: TestRequest, connection: TestConnection): Promise<void> {
    for (const released of holds) await released;
    if (connection.isUnanswered(request)) this.#handleNow(request, connection);
  }

  #handleNow(request: TestRequest, connection: TestConnection): void {
    const handler = this.#handlers.get(request.method)?.all[0];
    if (!handler) {
      this.#refuseUnhandled(request, connection);
      return;
    }
    try {
      const outcome = handler(request, connection);
      if (!isThenable(outcome)) answer(request, connection, outcome);
      else {
        outcome
          .then((result) => answer(request, connection, result))
          .then(undefined, (error) => fail(request, connection, error));
      }
    } catch (error) {
      fail(request, connection, error);
    }
  }

  #refuseUnhandled(request: TestRequest, connection: TestConnection): void {
    if (!this.#refusesUnhandled) return;
    const { method } = request;
    const message = `the test server has no handler for ${method}: add server.handle("${method}", (request) => result)`;
    connection.refuse(request, RPC_METHOD_NOT_FOUND, message);
  }
}

function answer(request: TestRequest, connection: TestConnection, result: unknown): void {
  if (result === silence || !connection.isUnanswered(request)) return;
  if (result === undefined) {
    fail(request, connection, new Error("expected a result, or `silence` for no response, got undefined"));
  } else connection.answer(request, result);
}

function fail(request: TestRequest, connection: TestConnection, error: unknown): void {
  if (!connection.isUnanswered(request)) return;
  const { rpcCode, message, data } = (error ?? {}) as Partial<
    Record<"rpcCode" | "message" | "data", unknown>
  >;
  if (typeof rpcCode !== "number") {
    const text = `the test's handler of ${request.method} failed: ${String(message ?? error)}`;
    connection.refuse(request, RPC_INTERNAL_ERROR, text);
    return;
  }
  try {
    connection.refuse(request, rpcCode, String(message), data);
  } catch (unserializable) {
    fail(request, connection, unserializable);
  }
}

function isThenable<T>(value: Awaitable<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === "function";
}
