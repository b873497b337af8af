import { ProtocolError, TimeoutError } from "../errors/connection.ts";
import type { Delivery } from "../errors/error.ts";
import { type Deadline, deadline } from "../internal/abort.ts";
import type { Schema } from "../protocol/encoded-bytes.ts";
import type { Payload, TraceContext } from "./request-frame.ts";

export interface CallOptions<Name extends string = string> {
  /** Ends the wait with the signal's reason. A request that was sent can't be cancelled. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the wait ends with a TimeoutError. @default none */
  readonly timeoutMs?: number | undefined;
  /** For requests that acquire something: `signal` and `timeoutMs` end the wait only before the request is sent. */
  readonly untilSent?: boolean;
  /** They do not queue behind ordinary requests. */
  readonly urgent?: boolean;
  /** For requests that release something on the server: they are urgent, and `close()` gives the server time for them. */
  readonly releases?: boolean;
  /** For requests that the user did not make: they do not keep a Node process alive. */
  readonly background?: boolean;
  /** Bytes that join the params. They may change as soon as the call has returned. */
  readonly payload?: Payload<Name> | undefined;
}

/** How a call settles its promise. */
export interface Waiter<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
  /** Called when the wait has ended either way. */
  readonly onSettled?: (() => void) | undefined;
}

/** One request, from enqueueing to its response. The wait for the response can end before it arrives. */
export class Call<Result = unknown> {
  readonly method: string;
  params: unknown;
  /** The trace context in which the call was made. */
  readonly trace: TraceContext | undefined;
  /** Whether it releases something on the server. */
  readonly releases: boolean;
  payload: Payload | undefined;
  readonly #schema: Schema<Result> | undefined;
  readonly #sessionId: string | undefined;
  readonly #limit: Deadline | undefined;
  #waiter: Waiter<Result> | undefined;
  /** The delivery that an error reports if the wait ends now. */
  delivery: Delivery = "not-sent";

  /** @param schema Of the result. Without one, every result is accepted. */
  constructor(
    { method, params, trace }: { method: string; params: unknown; trace?: TraceContext | undefined },
    schema: Schema<Result> | undefined,
    options: CallOptions,
    sessionId: string | undefined,
    waiter: Waiter<Result>,
  ) {
    this.method = method;
    this.params = params;
    this.trace = trace;
    this.payload = options.payload;
    this.releases = options.releases ?? false;
    this.#schema = schema;
    this.#sessionId = sessionId;
    this.#waiter = waiter;
    if (options.signal || options.timeoutMs !== undefined) this.#limit = this.#limitWait(options);
  }

  /** Whether the promise is still pending. */
  get isPending(): boolean {
    return this.#waiter !== undefined;
  }

  /** Copies the payload of a queued request: the caller may reuse its memory. */
  keepPayload(): void {
    if (this.payload) this.payload = { ...this.payload, bytes: this.payload.bytes.slice() };
  }

  /** Settles with a response. */
  respond(value: unknown): void {
    const result = this.#schema?.safeParse(value) ?? { success: true as const, data: value as Result };
    if (result.success) this.#settle()?.resolve(result.data);
    else this.failMalformed();
  }

  /** Settles with a response that has neither a valid result nor a valid error. */
  failMalformed(): void {
    this.fail(
      new ProtocolError(`The server's answer to ${this.method} has the wrong shape`, {
        sessionId: this.#sessionId,
        delivery: "answered",
      }),
    );
  }

  fail(error: unknown): void {
    this.#settle()?.reject(error);
  }

  #settle(): Waiter<Result> | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.onSettled?.();
    this.#limit?.clear();
    // The call can stay queued, or wait for its response, for a long time. Its params and bytes are released now.
    this.params = undefined;
    this.payload = undefined;
    return waiter;
  }

  #limitWait({ signal, timeoutMs: ms, untilSent = false }: CallOptions): Deadline {
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
