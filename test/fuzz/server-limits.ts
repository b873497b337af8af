/**
 * What the parser of a real server refuses, by the plainest reading. The SDK checks the text of a request instead of its
 * values, and must agree.
 */

const MAX_DEPTH = 127;
const MAX_VALUES = 262_144;

interface Extent {
  values: number;
  depth: number;
  isWellFormed: boolean;
}

/** The code of the error for a message that the server can't read; undefined for every other message. */
export function refusalOf(message: unknown): "ERR_INVALID_ARGUMENT" | "ERR_TOO_LARGE" | undefined {
  const extent: Extent = { values: 0, depth: 0, isWellFormed: true };
  measure(message, 0, extent);
  if (!extent.isWellFormed || extent.depth > MAX_DEPTH) return "ERR_INVALID_ARGUMENT";
  return extent.values > MAX_VALUES ? "ERR_TOO_LARGE" : undefined;
}

function measure(value: unknown, depth: number, extent: Extent): void {
  extent.values++;
  if (typeof value === "string") extent.isWellFormed &&= isWellFormed(value);
  if (typeof value !== "object" || value === null) return;
  extent.depth = Math.max(extent.depth, depth + 1);
  for (const [name, member] of Object.entries(value)) {
    if (!Array.isArray(value)) extent.isWellFormed &&= isWellFormed(name);
    measure(member, depth + 1, extent);
  }
}

/** UTF-8 has no code for half of a surrogate pair: it becomes U+FFFD. */
function isWellFormed(text: string): boolean {
  return Buffer.from(text, "utf8").toString("utf8") === text;
}
