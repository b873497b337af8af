/** The members that carry base64, which makes up nearly all of a long frame. */
const PAYLOAD_KEY = /"(chunk|dataBase64|deltaBase64)":"/;
/** A payload's key stands this close to the start of a frame, or is not looked for. */
const HEAD = 512;
/** Below this length a frame is parsed as quickly as it is searched. */
const MIN_LENGTH = 2048;

/**
 * `JSON.parse`, but a long payload near the start is cut out first and put back afterwards: it needs no unescaping and
 * no copy, and the parser has only the short rest to read. Wherever that could make a difference the whole is parsed
 * plainly. The one thing it lets pass is a control character inside a payload, which no base64 decoder takes.
 */
export function parseJson(text: string): unknown {
  return (text.length < MIN_LENGTH ? undefined : parseAroundPayload(text)) ?? JSON.parse(text);
}

function parseAroundPayload(text: string): unknown {
  const head = text.slice(0, HEAD);
  const found = PAYLOAD_KEY.exec(head);
  // Without a backslash before it, a quote is a quote: what was found is a key and the start of its value.
  if (!found || head.lastIndexOf("\\", found.index) >= 0) return undefined;
  const start = found.index + found[0].length;
  const end = text.indexOf('"', start);
  if (end < 0) return undefined;
  const payload = text.slice(start, end);
  const tail = text.slice(end);
  const key = found[1] as string;
  // An escape, in the payload or in a later key, is for the parser; of a key given twice the last one counts.
  if (text.indexOf("\\", start) >= 0 || tail.includes(key)) return undefined;
  const value: unknown = JSON.parse(text.slice(0, start) + tail);
  const { params, result } = value as { params?: unknown; result?: unknown };
  const holder = [params, result].find((member) => (member as Record<string, unknown> | null)?.[key] === "");
  if (holder === undefined || holder === null) return undefined;
  (holder as Record<string, unknown>)[key] = payload;
  return value;
}
