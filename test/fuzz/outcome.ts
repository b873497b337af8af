import { isDeepStrictEqual } from "node:util";
import type { Sdk } from "../support/sdk.ts";
import { Violation } from "../support/violation.ts";
import type { CallModel, StreamEnd } from "./models.ts";

/** The value or the error of a settled promise. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

export async function outcomeOf<T>(promise: PromiseLike<T>): Promise<Outcome<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

/** The error code with which everything pending rejects when the connection ends. */
export type ConnectionEndCode = "ERR_DISCONNECTED" | "ERR_CLOSED";

/** Compares the outcomes of promises with those that the frames require. */
export class OutcomeChecker {
  readonly #sdk: Sdk;
  readonly endCode: ConnectionEndCode;

  constructor(sdk: Sdk, endCode: ConnectionEndCode) {
    this.#sdk = sdk;
    this.endCode = endCode;
  }

  checkEqual(actual: unknown, expected: unknown, what: string): void {
    if (isDeepStrictEqual(actual, expected)) return;
    throw new Violation(`${what}: expected ${formatted(expected)}, got ${formatted(actual)}`);
  }

  /** The promise must have rejected with an error of the SDK that has one of these codes. */
  checkRejection(outcome: Outcome<unknown>, codes: readonly string[], what: string): void {
    if (!("error" in outcome))
      throw new Violation(`${what}: expected ${codes}, got ${formatted(outcome.value)}`);
    const { error } = outcome;
    const code = error instanceof this.#sdk.ExecServerError ? error.code : undefined;
    if (code === undefined || !codes.includes(code))
      throw new Violation(`${what}: expected ${codes}, got ${formatted(error)}`);
  }

  /** Returns whether the stream ended without an error. The frames must require the same. */
  checkEnd(outcome: Outcome<unknown>, end: StreamEnd, what: string): boolean {
    if (end !== "clean") this.checkRejection(outcome, [end ?? this.endCode], what);
    else if ("error" in outcome)
      throw new Violation(`${what}: expected an end without an error, got ${formatted(outcome.error)}`);
    return end === "clean";
  }

  /**
   * Checks the outcome of one request. Returns whether it resolved, which the first response must require as well. A mutated
   * response may cause an error or, where its shape is still valid, a result.
   */
  checkResponse(outcome: Outcome<unknown>, model: CallModel | undefined, what: string): boolean {
    const response = model?.response;
    if (!response) this.checkRejection(outcome, [this.endCode], what);
    else if (response.type === "error") this.checkRejection(outcome, ["ERR_SERVER"], what);
    else if (response.type === "malformed") this.checkRejection(outcome, ["ERR_PROTOCOL"], what);
    else if ("value" in outcome) return true;
    else if (model.isValid)
      throw new Violation(`${what}: expected a result, got ${formatted(outcome.error)}`);
    else this.checkRejection(outcome, ["ERR_PROTOCOL"], what);
    return false;
  }
}

function formatted(value: unknown): string {
  const text = value instanceof Error ? `${value.name}: ${value.message}` : String(JSON.stringify(value));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
