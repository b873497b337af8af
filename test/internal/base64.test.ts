import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

type Codec = typeof import("../../src/internal/base64.ts");

/** A copy of the module in a runtime without some of the native codecs. */
async function codecWithout(hidden: { native?: boolean; buffer?: boolean }): Promise<Codec> {
  vi.resetModules();
  if (hidden.native) {
    class PlainBytes extends Uint8Array {
      static fromBase64 = undefined;
    }
    Object.assign(PlainBytes.prototype, { toBase64: undefined });
    vi.stubGlobal("Uint8Array", PlainBytes);
  }
  if (hidden.buffer) vi.stubGlobal("Buffer", undefined);
  try {
    return await import("../../src/internal/base64.ts");
  } finally {
    vi.unstubAllGlobals();
  }
}

afterEach(() => vi.unstubAllGlobals());

const codecs = {
  "of the runtime": await codecWithout({}),
  "on Node's buffer": await codecWithout({ native: true }),
  "on atob and btoa": await codecWithout({ native: true, buffer: true }),
};

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** Characters outside ASCII. The low byte of U+0141 and U+2141 is "A", the one of U+013D is "=". */
const NON_ASCII = ["\u0141", "\u2141", "\u013d", "é", "\u00c1", "\u{1f600}"];

const character = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...ALPHABET) },
  { weight: 2, arbitrary: fc.constant("=") },
  { weight: 1, arbitrary: fc.constantFrom(..."-_ \n\r\t\f\0.", ...NON_ASCII) },
);
const bytes = fc.uint8Array({ maxLength: 40 });
/** Texts that are base64, almost base64, or neither. */
const text = fc.oneof(
  fc.base64String(),
  fc.array(character, { maxLength: 12 }).map((all) => all.join("")),
  fc.array(character, { minLength: 4, maxLength: 4 }).map((all) => all.join("")),
  fc.tuple(bytes, fc.nat(), character).map(([plain, at, wrong]) => {
    const right = canonical(plain);
    const cut = at % (right.length + 1);
    return right.slice(0, cut) + wrong + right.slice(cut + 1);
  }),
  fc.string({ unit: "binary" }),
);

function canonical(plain: Uint8Array): string {
  return Buffer.from(plain).toString("base64");
}

describe.each(Object.entries(codecs))("base64 %s", (_, { decodeBase64, encodeBase64 }) => {
  it("decodes its own encoding", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (plain) => {
        const encoded = encodeBase64(plain);
        expect(encoded).toBe(canonical(plain));
        expect(decodeBase64(encoded)).toEqual(plain);
      }),
    );
  });

  it("encodes a view of a larger buffer, and more bytes than a call can have arguments", () => {
    const all = new Uint8Array(200_000).map((_, i) => i * 31);
    expect(encodeBase64(all)).toBe(canonical(all));
    expect(encodeBase64(all.subarray(7, 40))).toBe(canonical(all.slice(7, 40)));
    // Compared as text: comparing arrays of this length takes seconds.
    expect(canonical(decodeBase64(canonical(all)) ?? new Uint8Array())).toBe(canonical(all));
  });

  it("accepts only the canonical text of some bytes", () => {
    fc.assert(
      fc.property(text, (candidate) => {
        const decoded = decodeBase64(candidate);
        expect(decoded === undefined || canonical(decoded) === candidate).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(["", "AA==", "AAA=", "AAAA", "+/+/", "/w=="])("accepts %o", (valid) => {
    expect(canonical(decodeBase64(valid) ?? new Uint8Array(1))).toBe(valid);
  });

  it.each([
    ["missing padding", ["A", "AA", "AAA", "AAAAA", "AAAAAA", "AA="]],
    [
      "misplaced padding",
      ["=", "====", "A===", "=AAA", "A=AA", "AA=A", "AA==AAAA", "AAA=AAA=", "AAAA=", "AAAA===="],
    ],
    ["leftover bits", ["AB==", "A/==", "AAB=", "AA/=", "AAD="]],
    [
      "whitespace",
      [" AAA", "AAA ", "AA A", "AAAA\n", "AAAA\n\n\n\n", "AA==\n", "AA\r\n", "\tAAA", "AAAA    "],
    ],
    ["the URL alphabet", ["-AAA", "AA_A", "__==", "AA-=", "A_=="]],
    ["other characters", ["AA.A", "AA\0A", "A,AA", "data"].slice(0, 3)],
    [
      "characters beyond ASCII",
      NON_ASCII.flatMap((x) => [`${x}AAA`, `AA${x}A`, `A${x}==`, `AAA${x}`, `AA=${x}`]),
    ],
  ])("refuses %s", (_, invalid) => {
    expect(invalid.filter((candidate) => decodeBase64(candidate) !== undefined)).toEqual([]);
  });
});

it("decodes to the same result in every runtime", () => {
  const [first, ...others] = Object.values(codecs).map((codec) => codec.decodeBase64);
  fc.assert(
    fc.property(text, (candidate) => {
      for (const other of others) expect(other(candidate)).toEqual(first?.(candidate));
    }),
    { numRuns: 2_000 },
  );
});
