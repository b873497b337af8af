import { isDeepStrictEqual } from "node:util";
import type { Sdk } from "../support/sdk.ts";
import { Violation } from "../support/violation.ts";
import type { CallModel, End } from "./models.ts";

/** What became of a promise. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

export async function outcomeOf<T>(promise: PromiseLike<T>): Promise<Outcome<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

/** How the connection ended: what had not come to its own end then has this code. */
export type Over = "ERR_DISCONNECTED" | "ERR_CLOSED";

/** Compares what became of promises with what the frames say. */
export class Verdict {
  readonly #sdk: Sdk;
  readonly over: Over;

  constructor(sdk: Sdk, over: Over) {
    this.#sdk = sdk;
    this.over = over;
  }

  equal(actual: unknown, expected: unknown, what: string): void {
    if (isDeepStrictEqual(actual, expected)) return;
    throw new Violation(`${what}: expected ${shown(expected)}, got ${shown(actual)}`);
  }

  /** An error of the SDK's with one of these codes. */
  failed(outcome: Outcome<unknown>, codes: readonly string[], what: string): void {
    if (!("error" in outcome)) throw new Violation(`${what}: expected ${codes}, got ${shown(outcome.value)}`);
    const { error } = outcome;
    const code = error instanceof this.#sdk.ExecServerError ? error.code : undefined;
    if (code === undefined || !codes.includes(code))
      throw new Violation(`${what}: expected ${codes}, got ${shown(error)}`);
  }

  /** Whether it came to a clean end, which is what the frames must say as well. */
  ended(outcome: Outcome<unknown>, end: End, what: string): boolean {
    if (end !== "clean") this.failed(outcome, [end ?? this.over], what);
    else if ("error" in outcome)
      throw new Violation(`${what}: expected a clean end, got ${shown(outcome.error)}`);
    return end === "clean";
  }

  /**
   * One request. Returns whether it has a result, which is what the first answer must say as well: an answer that was not
   * the sound one may be an error or, where its shape happens to be right, a result.
   */
  answered(outcome: Outcome<unknown>, model: CallModel | undefined, what: string): boolean {
    const answer = model?.answer;
    if (!answer) this.failed(outcome, [this.over], what);
    else if (answer.type === "error") this.failed(outcome, ["ERR_SERVER"], what);
    else if (answer.type === "malformed") this.failed(outcome, ["ERR_PROTOCOL"], what);
    else if ("value" in outcome) return true;
    else if (model.isSound) throw new Violation(`${what}: expected a result, got ${shown(outcome.error)}`);
    else this.failed(outcome, ["ERR_PROTOCOL"], what);
    return false;
  }
}

function shown(value: unknown): string {
  const text = value instanceof Error ? `${value.name}: ${value.message}` : String(JSON.stringify(value));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
