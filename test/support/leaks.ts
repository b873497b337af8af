import { inspect } from "node:util";
import { expect } from "vitest";

/** Fails if any text form of a value that could be logged contains one of the secrets. */
export function expectNoneShown(value: unknown, secrets: readonly string[]): void {
  const text = [
    String(value),
    (value as Partial<Error>).stack,
    JSON.stringify(value),
    inspect(value, { depth: 10, showHidden: true }),
  ].join("\n");
  for (const secret of secrets) expect(text).not.toContain(secret);
}
