import { isUrl } from "../../internal/realms.ts";

const CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The prefix with six random characters, as Node appends them. Anything but a path is left to the checks of paths. */
export function temporaryPath(prefix: string | URL): string | URL {
  if (typeof prefix !== "string" && !isUrl(prefix)) return prefix;
  let path = String(prefix);
  // The remainder favours the first characters a little, which does not matter for a name.
  for (const byte of crypto.getRandomValues(new Uint8Array(6))) path += CHARACTERS[byte % CHARACTERS.length];
  return path;
}
