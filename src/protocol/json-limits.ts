/** The most JSON values in one message, the message included. Server 0.171.0 refuses one more (measured). */
export const MAX_JSON_VALUES = 262_144;
/** The most nested arrays and objects in one message, the message included. Server 0.171.0 refuses one more (measured). */
export const MAX_JSON_DEPTH = 127;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** `JSON.stringify` writes half of a surrogate pair as an escape, which the server's parser refuses. */
const LONE_SURROGATE = /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/;

/** Whether a text that `JSON.stringify` wrote contains half of a surrogate pair. */
export function hasLoneSurrogate(json: string): boolean {
  // The search for a constant text is much faster, and almost always enough.
  return json.includes("\\ud") && LONE_SURROGATE.test(json);
}

/** Counts the values of a text that `JSON.stringify` wrote, and how deep they are nested. */
export function measureJson(json: string): { readonly values: number; readonly depth: number } {
  let values = 1;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (code === COMMA) values++;
    else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth--;
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (++depth > deepest) deepest = depth;
      const next = json.charCodeAt(at + 1);
      if (next !== CLOSE_ARRAY && next !== CLOSE_OBJECT) values++;
    }
  }
  return { values, depth: deepest };
}

/** The index of the closing quote of the string that begins at `start`. */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}
