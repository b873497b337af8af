import { type Delivery, ProtocolError, TimeoutError } from "../errors.ts";
import { type Deadline, deadline } from "../internal/abort.ts";
import type { ResultSchema } from "../protocol/methods.ts";
import type { Payload } from "./request-frame.ts";

export interface CallOptions<Result = unknown> {
  /** Ends the wait with the signal's reason; the request itself can't be taken back once it is sent. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the wait ends with a TimeoutError. @default none */
  readonly timeoutMs?: number | undefined;
  /** For what must be released again: `signal` and `timeoutMs` end the wait only as long as the request is not sent. */
  readonly untilSent?: boolean;
  /** For cleanup: does not queue behind ordinary requests. */
  readonly urgent?: boolean;
  /** Goes along with the params. Its bytes may change as soon as the call has returned. */
  readonly payload?: Payload;
  /** Reads the result off the frame of the answer, without parsing it; undefined if the frame must be parsed. */
  readonly readFrame?: (frame: string | Uint8Array) => Result | undefined;
}

/** What a call needs of the promise it settles. */
export interface Waiter<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** One request, from the wish to the answer. The wait for it can end before its answer comes. */
export class Call<Result = unknown> {
  readonly method: string;
  params: unknown;
  payload: Payload | undefined;
  readonly #schema: ResultSchema<Result> | undefined;
  readonly #readFrame: CallOptions<Result>["readFrame"];
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
    this.payload = options.payload;
    this.#schema = schema;
    this.#readFrame = options.readFrame;
    this.#sessionId = sessionId;
    this.#waiter = waiter;
    if (options.signal || options.timeoutMs !== undefined) this.#limit = this.#limitWait(options);
  }

  /** Whether anybody still waits for the answer. */
  get isAwaited(): boolean {
    return this.#waiter !== undefined;
  }

  /** The request has to wait its turn; its bytes won't. */
  keepPayload(): void {
    if (this.payload) this.payload = { ...this.payload, bytes: this.payload.bytes.slice() };
  }

  /** The answer has come. */
  accept(value: unknown): void {
    const result = this.#schema
      ? this.#schema.safeParse(value)
      : { success: true as const, data: value as Result };
    if (result.success) this.resolve(result.data);
    else this.refuse();
  }

  readFrame(frame: string | Uint8Array): Result | undefined {
    return this.#readFrame?.(frame);
  }

  resolve(result: Result): void {
    this.#endWait()?.resolve(result);
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
    // The call may be kept for long yet, until its turn or its answer; what it was to send need not be.
    this.params = undefined;
    this.payload = undefined;
    return waiter;
  }

  #limitWait({ signal, timeoutMs: ms, untilSent = false }: CallOptions<Result>): Deadline {
    const limit = deadline({
      ms,
      signal,
      timeoutError: () =>
        new TimeoutError("ERR_TIMEOUT", `No answer within ${ms} ms`, {
          sessionId: this.#sessionId,
          delivery: this.delivery,
        }),
    });
    limit.signal.addEventListener("abort", () => {
      if (!untilSent || this.delivery === "not-sent") this.fail(limit.signal.reason);
    });
    return limit;
  }
}
