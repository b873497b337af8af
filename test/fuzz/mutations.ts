import type { Random } from "../support/random.ts";
import type { Frame } from "./reference-decoder.ts";

type Members = Record<string, unknown>;
type Place = { readonly holder: Members; readonly key: string };

/** Ids and names in use on the connection, for messages that are addressed to the wrong one. */
export interface KnownIds {
  readonly ids: readonly (string | number)[];
  readonly names: readonly string[];
}

/** Turns a valid message into an invalid or unusual frame. */
export function mutate(message: object, random: Random, known: KnownIds): Frame {
  const way = random.weighted({
    structure: 6,
    numbers: 4,
    base64: 3,
    confusion: 3,
    form: 8,
    text: 3,
    binary: 2,
  });
  const copy = structuredClone(message) as Members;
  if (way === "structure") {
    for (let times = random.between(1, 3); times > 0; times--) restructure(copy, random);
  } else if (way === "numbers") replaceSome(copy, isNumberMember, () => random.pick(NUMBERS), random);
  else if (way === "base64")
    replaceSome(
      copy,
      isBytesMember,
      (text) => corruptBase64(typeof text === "string" ? text : "QUJD", random),
      random,
    );
  else if (way === "confusion") misaddress(copy, random, known);
  const text = JSON.stringify(copy);
  if (way === "form") return random.pick(SYNTAX_MUTATIONS)(text);
  if (way === "text") return random.pick(TEXT_MUTATIONS)(text, random);
  return way === "binary" ? random.pick(BINARY_MUTATIONS)(new TextEncoder().encode(text), random) : text;
}

const NUMBERS: readonly unknown[] = [
  0,
  1,
  2,
  3,
  -1,
  -0,
  0.5,
  1.5,
  7,
  255,
  256,
  257,
  258,
  1e3,
  1e9,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 - 1,
  -(2 ** 53),
  1e21,
  1e308,
  5e-324,
  "1",
  "",
  null,
  true,
  [],
  {},
  [1],
  { valueOf: 1 },
];

const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

const VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => false,
  () => 0,
  () => -1,
  () => 1e300,
  () => "",
  () => "x",
  () => "__proto__",
  () => "constructor",
  () => "\ud800",
  () => "\udfff\ud800 \u0000 \ufeff \u2028",
  () => "€".repeat(3_000),
  () => "://a@".repeat(2_000),
  () => "A".repeat(5_000),
  () => [],
  () => ({}),
  () => nested(400),
  () => [null, [[]], { a: { b: {} } }],
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
];

const KEYS = [
  "__proto__",
  "constructor",
  "toString",
  "id",
  "method",
  "params",
  "result",
  "error",
  "seq",
  "chunk",
];

function restructure(message: Members, random: Random): void {
  const places = placesIn(message);
  if (places.length === 0) return;
  const { holder, key } = random.pick(places);
  const value = random.pick(VALUES)();
  random.pick<() => void>([
    () => delete holder[key],
    () => assign(holder, key, value),
    () => assign(holder, random.pick(KEYS), value),
    () => assign(holder, random.pick(KEYS), holder[key]),
    () => {
      assign(holder, `${key}s`, holder[key]);
      delete holder[key];
    },
    () => assign(holder, key, [holder[key]]),
    () => assign(holder, key, { [key]: holder[key] }),
    () => assign(holder, key, JSON.stringify(holder[key])),
  ])();
}

/** Unlike an assignment, creates an own property even for `__proto__`, as `JSON.parse` does. */
function assign(holder: Members, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function placesIn(message: Members): Place[] {
  const places: Place[] = [];
  const visit = (holder: Members): void => {
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      const value = holder[key];
      if (typeof value === "object" && value !== null) visit(value as Members);
    }
  };
  visit(message);
  return places;
}

function isNumberMember({ holder, key }: Place): boolean {
  return typeof holder[key] === "number";
}

function isBytesMember({ key }: Place): boolean {
  return /^(chunk|dataBase64|deltaBase64|bodyBase64)$/.test(key);
}

function replaceSome(
  message: Members,
  matches: (place: Place) => boolean,
  replacement: (value: unknown) => unknown,
  random: Random,
): void {
  const places = placesIn(message).filter(matches);
  if (places.length === 0) {
    restructure(message, random);
    return;
  }
  const { holder, key } = random.pick(places);
  holder[key] = replacement(holder[key]);
}

const BASE64_MUTATIONS: readonly ((text: string, at: number) => string)[] = [
  (text, at) => `${text.slice(0, at)}?${text.slice(at + 1)}`,
  (text, at) => `${text.slice(0, at)}-_${text.slice(at + 2)}`,
  (text, at) => `${text.slice(0, at)}\n${text.slice(at)}`,
  (text, at) => `${text.slice(0, at)}=${text.slice(at)}`,
  (text, at) => text.slice(0, at),
  (text) => `${text}=`,
  (text) => `${text}====`,
  (text) => text.replace(/=+$/, ""),
  // Non-zero bits after the last byte.
  (text) => `${text.replace(/=+$/, "").slice(0, -1)}AB==`,
  (text) => `${text}QR==`,
  (text, at) => `${text.slice(0, at)}ł${text.slice(at + 1)}`,
  (text, at) => `${text.slice(0, at)}\ud83d${text.slice(at + 1)}`,
  (text) => ` ${text}`,
  // Valid base64 of other bytes.
  (text) => `${text.replace(/=+$/, "").slice(0, -4)}AAAA`,
  () => "",
  () => "QUJD".repeat(900),
];

function corruptBase64(text: string, random: Random): string {
  return random.pick(BASE64_MUTATIONS)(text, random.below(text.length + 1));
}

function misaddress(message: Members, random: Random, { ids, names }: KnownIds): void {
  const isName = ({ key }: Place): boolean => /^(processId|requestId|handleId|path)$/.test(key);
  const ways: (() => void)[] = [
    () =>
      assign(
        message,
        "method",
        random.pick(["toString", "process/unknown", "process/output", "fs/missingChanged"]),
      ),
    () => assign(message, "id", random.pick([...ids, -1, 0, 1.5, "2", 1e6])),
    () => replaceSome(message, isName, () => random.pick([...names, "absent"]), random),
    () =>
      assign(
        message,
        random.pick(["result", "error"]),
        random.pick([null, {}, { code: -1, message: "both" }]),
      ),
  ];
  random.pick(ways)();
}

/** Frames that differ slightly from what the server writes. Of a duplicate key the last one counts. */
const SYNTAX_MUTATIONS: readonly ((text: string) => string)[] = [
  (text) => text.replace(/"seq":/, '"seq":0'),
  (text) => text.replace(/"seq":/, '"seq":000'),
  (text) => text.replace(/"seq":/, '"seq":100000000000000'),
  (text) => text.replace(/"seq":/, '"seq": '),
  (text) => text.replace(/"seq":(\d+)/, '"seq":$1.0'),
  (text) => text.replace(/"seq":(\d+)/, '"seq":$1e0'),
  (text) => text.replace(/"seq":(\d+)/, '"seq":+$1'),
  (text) => text.replace(/\}\}$/, ',"more":1}}'),
  (text) => text.replace(/\}\}$/, "}}\n"),
  (text) => text.replace(/\}\}$/, "}}}"),
  (text) => text.replace(/-(\d+)"/, '\\u002d$1"'),
  (text) => text.replace(/"seq":(\d+)/, '"seq":1,"seq":$1'),
  (text) => text.replace(/"seq":(\d+)/, '"seq":$1,"seq":"$1"'),
  (text) => text.replace(/("chunk":"[^"]*")/, '$1,"chunk":"QUJD"'),
  (text) => text.replace(/("chunk":)"[^"]*"/, `$1"${"QUJD".repeat(800)}","chunk":""`),
  (text) => text.replace(/("chunk":)"[^"]*"/, `$1"${"QUJD".repeat(800)}","x":1,"chunk":"REVG"`),
];

const TEXT_MUTATIONS: readonly ((text: string, random: Random) => string)[] = [
  (text, random) => text.slice(0, random.below(text.length)),
  (text, random) => text.slice(random.between(1, text.length)),
  (text, random) =>
    splice(
      text,
      random,
      random.pick(['"', "\\", "{", "}", "[", "]", ",", ":", "\u0000", "\n", "\ufeff", "e", "9"]),
    ),
  (text) => `\ufeff${text}`,
  (text) => ` \r\n\t${text} \n`,
  (text) => `${text}${text}`,
  (text) => `${text},`,
  (text) => `[${text}]`,
  (text) => JSON.stringify(text),
  (text) => text.replace(/\d+/, "NaN"),
  (text) => text.replace(/\d+/, "-Infinity"),
  (text) => text.replace(/\d+/, "1e400"),
  (text) => text.replace(/\d+/, "0x10"),
  (text) => text.replace(/\d+/, "01"),
  (text) => text.replace(/\d+/, (digits) => `${digits}.0`),
  (text) => text.replace(/("(?:chunk|dataBase64|deltaBase64)":)"[^"]*"/, `$1"${"QUJD".repeat(800)}\u0007"`),
  (text) =>
    text.replace(/("(?:chunk|dataBase64|deltaBase64)":)"[^"]*"/, `$1"${"QUJD".repeat(800)}\\u0041AAA"`),
  (text) => text.replace(/"([a-z])/, (_, first: string) => `"\\u00${first.charCodeAt(0).toString(16)}`),
  (text) => text.replace(/^\{/, '{"__proto__":{"id":1,"method":"x"},'),
  (text) => text.replace(/^\{/, `{"deep":${"[".repeat(20_000)}${"]".repeat(20_000)},`),
  (text) => text.replace(/^\{/, `{"deep":${"[".repeat(20_000)},`),
  (text) => `/* */${text}`,
  () => "",
  () => "null",
  () => "1",
  () => "{}",
  () => "[]",
  () => '{"jsonrpc":"2.0"}',
];

function splice(text: string, random: Random, insertion: string): string {
  const at = random.below(text.length);
  return text.slice(0, at) + insertion + text.slice(at + random.below(2));
}

const BINARY_MUTATIONS: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  (bytes) => bytes,
  (bytes) => new Uint8Array([0xef, 0xbb, 0xbf, ...bytes]),
  (bytes) => new Uint8Array([0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, ...bytes]),
  (bytes) => new Uint8Array([0xff, 0xfe, ...bytes]),
  (bytes, random) => replaced(bytes, random.below(bytes.length), random.below(256)),
  (bytes, random) => replaced(bytes, random.below(bytes.length), 0x80 + random.below(128)),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  (bytes) => new Uint8Array(bytes.length),
];

function replaced(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = byte;
  return copy;
}
