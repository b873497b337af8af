import { hexDump } from "./hex-dump.ts";
import { formatBytes } from "./units.ts";

/** What is shown of a file, and why it can't be saved, if it can't. */
export interface Shown {
  readonly text: string;
  readonly encoding: string;
  /** Bytes in front of the text, which a save writes again. */
  readonly prefix: string;
  /** Why the editor is read-only. */
  readonly note?: string;
}

const BOM = "\u{feff}";
const SHOWN_HEX = 64 * 1024;
/** The share of control characters above which bytes are no text. */
const MAX_CONTROLS = 0.05;

/**
 * Decodes a file strictly. Only UTF-8 can be saved: a text of another encoding would not be written back as it was.
 *
 * @param isPart Whether the bytes are the first part of a larger file, which may end within a character.
 */
export function decode(bytes: Uint8Array<ArrayBuffer>, isPart = false): Shown {
  const wide = wideEncoding(bytes);
  if (wide) return readOnly(new TextDecoder(wide).decode(bytes), wide.toUpperCase());
  const utf8 = bytes.includes(0) ? undefined : decodeUtf8(bytes, isPart);
  if (utf8 !== undefined) {
    const hasBom = utf8.startsWith(BOM);
    const text = hasBom ? utf8.slice(BOM.length) : utf8;
    return { text, encoding: hasBom ? "UTF-8 with BOM" : "UTF-8", prefix: hasBom ? BOM : "" };
  }
  if (isBinary(bytes)) {
    const part = bytes.length > SHOWN_HEX ? ` These are its first ${formatBytes(SHOWN_HEX)}.` : "";
    return {
      text: hexDump(bytes.subarray(0, SHOWN_HEX)),
      encoding: "Binary",
      prefix: "",
      note: `This file is binary, so it is shown as bytes and can't be saved.${part}`,
    };
  }
  return readOnly(new TextDecoder("windows-1252").decode(bytes), "Windows-1252 (Latin-1)");
}

function readOnly(text: string, encoding: string): Shown {
  const note = `This file is not UTF-8. It is shown as ${encoding}, and saving is off, so that its bytes stay as they are.`;
  return { text, encoding, prefix: "", note };
}

function decodeUtf8(bytes: Uint8Array<ArrayBuffer>, isPart: boolean): string | undefined {
  try {
    // Without `ignoreBOM`, the decoder would swallow it, and a save would lose it.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isPart });
  } catch {
    return undefined;
  }
}

function wideEncoding([first, second]: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}

function isBinary(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return true;
  let controls = 0;
  // Tab, line feed, form feed, carriage return and escape are common in texts.
  for (const byte of bytes) if (byte < 32 && ![9, 10, 12, 13, 27].includes(byte)) controls++;
  return controls > bytes.length * MAX_CONTROLS;
}
