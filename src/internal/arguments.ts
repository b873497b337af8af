import type { ErrorDetails } from "../errors/error.ts";
import { UsageError } from "../errors/usage.ts";

/** Rejects an argument. The message says what was expected, of which option, and what was received. */
export function invalid(message: string, details?: ErrorDetails): never {
  throw new UsageError("ERR_INVALID_ARGUMENT", message, details);
}

/** Rejects what this server, runtime or combination of options does not support. Nothing has been sent for it. */
export function unsupported(message: string, details?: ConstructorParameters<typeof UsageError>[2]): never {
  throw new UsageError("ERR_UNSUPPORTED", message, details);
}

/** What was received, for an error message. A string is not quoted: it can be a secret. */
export function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return "an empty array";
    const at = value.findIndex((member) => typeof member !== "string");
    return at < 0 ? "an array" : `an array with ${received(value[at])}`;
  }
  if (value === "") return "an empty string";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
