import { expect, test } from "vitest";
import { decode } from "../../examples/web-ide/src/editor/text-format.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

test.each([
  ["UTF-8", utf8("Grüße\r\n"), "Grüße\r\n"],
  ["UTF-8", new Uint8Array(), ""],
  ["UTF-8 with BOM", utf8("\u{feff}a"), "a"],
  ["Windows-1252 (Latin-1)", new Uint8Array([0x47, 0xfc, 0xe9]), "Güé"],
  ["UTF-16LE", new Uint8Array([0xff, 0xfe, 0x61, 0]), "a"],
  ["UTF-16BE", new Uint8Array([0xfe, 0xff, 0, 0x61]), "a"],
  ["Binary", new Uint8Array([0x61, 0]), `00000000  61 00 ${" ".repeat(43)}a·`],
])("shows %s, and writes back nothing but UTF-8", (encoding, bytes, text) => {
  const shown = decode(bytes);
  expect(shown).toMatchObject({ encoding, text });
  if (shown.note === undefined) expect(utf8(shown.prefix + shown.text)).toEqual(bytes);
  else expect(encoding).not.toMatch(/^UTF-8/);
});

test("a part may end within a character, a whole file may not", () => {
  const cut = utf8("aé").subarray(0, 2);
  expect(decode(cut, true)).toMatchObject({ encoding: "UTF-8", text: "a" });
  expect(decode(cut).note).toMatch(/not UTF-8/);
});

test("bytes with many control characters are binary", () => {
  expect(decode(new Uint8Array([1, 2, 3, 0xff])).encoding).toBe("Binary");
  expect(decode(new Uint8Array([27, 0x5b, 0x31, 0x6d, 0xff])).encoding).toMatch(/^Windows/);
});
