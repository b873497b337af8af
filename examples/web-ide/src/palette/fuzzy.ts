export interface Match {
  readonly score: number;
  /** The positions of the characters that fit. */
  readonly positions: readonly number[];
}

const AT_WORD = 8;
const IN_ROW = 5;
const IN_NAME = 3;

/**
 * Matches characters in their order, in any case. Beginnings of words, characters in a row and those of the file's name
 * count more, and a shorter path comes before a longer one.
 */
export function fuzzyMatch(pattern: string, path: string): Match | undefined {
  const wanted = pattern.toLowerCase();
  const text = path.toLowerCase();
  const name = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1;
  // First in the name alone: it is what is typed most.
  return match(wanted, path, text, name, name) ?? match(wanted, path, text, 0, name);
}

function match(wanted: string, path: string, text: string, start: number, name: number): Match | undefined {
  const positions: number[] = [];
  let score = -path.length / 100;
  let from = start;
  for (const character of wanted) {
    const found = place(character, path, text, from, positions.at(-1));
    if (found < 0) return undefined;
    score += isWordStart(path, found) ? AT_WORD : 1;
    if (found > 0 && found - 1 === positions.at(-1)) score += IN_ROW;
    if (found >= name) score += IN_NAME;
    positions.push(found);
    from = found + 1;
  }
  return { score, positions };
}

/** The next place of a character: behind the last one, at the beginning of a word, or anywhere. */
function place(
  character: string,
  path: string,
  text: string,
  from: number,
  last: number | undefined,
): number {
  const first = text.indexOf(character, from);
  if (first < 0 || (last !== undefined && first === last + 1)) return first;
  for (let at = first; at >= 0; at = text.indexOf(character, at + 1)) if (isWordStart(path, at)) return at;
  return first;
}

function isWordStart(path: string, at: number): boolean {
  if (at === 0) return true;
  const pair = path.slice(at - 1, at + 1);
  return /^[^\p{L}\p{N}]/u.test(pair) || /^\p{Ll}\p{Lu}/u.test(pair);
}
