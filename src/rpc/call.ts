import { type Delivery, ProtocolError, TimeoutError } from "../errors.ts";
import { type Deadline, deadline } from "../internal/deadline.ts";
import type { ResultSchema } from "../protocol/methods.ts";

export interface CallOptions<Result = unknown> {
  /** Ends the wait with the signal's reason; the request itself can't be taken back once it is sent. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the wait ends with a TimeoutError. @default none */
  readonly timeoutMs?: number | undefined;
  /** For cleanup: does not queue behind ordinary requests. */
  readonly urgent?: boolean;
  /** Gets a result that arrived after the wait had ended, so that what it stands for can be released. */
  readonly onLateResult?: (result: Result) => void;
}

/** What a call needs of the promise it settles. */
export interface Waiter<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** One request, from the wish to the answer. The wait for it can end before its answer comes. */
export class Call<Result = unknown> {
  readonly method: string;
  readonly params: unknown;
  readonly #schema: ResultSchema<Result> | undefined;
  readonly #options: CallOptions<Result>;
  readonly #sessionId: string | undefined;
  readonly #limit: Deadline | undefined;
  #waiter: Waiter<Result> | undefined;
  /** What can be said of the request if the wait ends now. */
  delivery: Delivery = "not-sent";

  /** @param schema Of the result; without one, any result will do. */
  constructor(
    method: string,
    params: unknown,
    schema: ResultSchema<Result> | undefined,
    options: CallOptions<Result>,
    sessionId: string | undefined,
    waiter: Waiter<Result>,
  ) {
    this.method = method;
    this.params = params;
    this.#schema = schema;
    this.#options = options;
    this.#sessionId = sessionId;
    this.#waiter = waiter;
    if (options.signal || options.timeoutMs !== undefined) this.#limit = this.#limitWait();
  }

  /** Whether anybody still waits for the answer. */
  get isAwaited(): boolean {
    return this.#waiter !== undefined;
  }

  /** The answer has come. */
  accept(value: unknown): void {
    const result = this.#schema
      ? this.#schema.safeParse(value)
      : { success: true as const, data: value as Result };
    if (!result.success) this.refuse();
    else if (this.#waiter) this.#endWait()?.resolve(result.data);
    else this.#options.onLateResult?.(result.data);
  }

  /** The answer is not one. */
  refuse(): void {
    this.fail(
      new ProtocolError(`The server's answer to ${this.method} has the wrong shape`, {
        sessionId: this.#sessionId,
        delivery: "answered",
      }),
    );
  }

  fail(error: unknown): void {
    this.#endWait()?.reject(error);
  }

  #endWait(): Waiter<Result> | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.#limit?.clear();
    return waiter;
  }

  #limitWait(): Deadline {
    const { signal, timeoutMs: ms } = this.#options;
    const limit = deadline({
      ms,
      signal,
      timeoutError: () =>
        new TimeoutError("ERR_TIMEOUT", `No answer within ${ms} ms`, {
          sessionId: this.#sessionId,
          delivery: this.delivery,
        }),
    });
    limit.signal.addEventListener("abort", () => this.fail(limit.signal.reason), { once: true });
    return limit;
  }
}
