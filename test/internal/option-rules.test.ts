import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  anObject,
  anything,
  aString,
  byteCount,
  checkOptions,
  duration,
  either,
  integer,
  milliseconds,
  oneOf,
  type Rule,
  type Rules,
  stringList,
  stringRecord,
} from "../../src/internal/option-rules.ts";

interface Options {
  readonly timeoutMs?: number | undefined;
  readonly cwd?: string | undefined;
}

const RULES: Rules<Options> = { timeoutMs: milliseconds, cwd: aString };
const HINTS = { timeout: "use timeoutMs" };
const check = (options: unknown): void => checkOptions("run()", options as Options, RULES, HINTS);

describe("checkOptions", () => {
  it.each([
    ["nothing", undefined],
    ["no option", {}],
    ["known options", { timeoutMs: 1, cwd: "/" }],
    ["undefined for an option", { timeoutMs: undefined }],
    ["undefined for an unknown name", { timeout: undefined, foo: undefined }],
    ["an infinite timeout", { timeoutMs: Number.POSITIVE_INFINITY }],
    ["a record without a prototype", Object.assign(Object.create(null), { cwd: "/" })],
    ["a record of another realm", runInNewContext('({ cwd: "/" })')],
    ["an instance with members that are no options", Object.assign(new (class Settings {})(), { foo: 1 })],
    ["inherited members that are no options", Object.create({ foo: 1 })],
  ])("accepts %s", (_, options) => {
    expect(() => check(options)).not.toThrow();
  });

  it.each([
    ["null", null, "run(): options must be an object, got null"],
    ["a string", "utf8", "run(): options must be an object, got a string"],
    ["an array", ["a"], "run(): options must be an object, got an array"],
    ["NaN", { timeoutMs: Number.NaN }, "run(): timeoutMs must be a positive number of milliseconds, got NaN"],
    ["null as a value", { cwd: null }, "run(): cwd must be a string, got null"],
    ["an unknown name", { foo: 1 }, 'run() has no option "foo"; its options are timeoutMs, cwd'],
    [
      "an unknown name in a record of another realm",
      runInNewContext("({ foo: 1 })"),
      'run() has no option "foo"; its options are timeoutMs, cwd',
    ],
    [
      "a name of Object.prototype",
      { toString: 1 },
      'run() has no option "toString"; its options are timeoutMs, cwd',
    ],
    [
      "a wrong member of an instance",
      Object.assign(new (class Settings {})(), { cwd: 5 }),
      "run(): cwd must be a string, got 5",
    ],
  ])("refuses %s", (_, options, message) => {
    expect(() => check(options)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT", message }));
  });

  it("refuses an option of another API with a hint", () => {
    expect(() => check({ timeout: 5 })).toThrow(
      expect.objectContaining({
        code: "ERR_UNSUPPORTED",
        message: "run() does not support the option timeout: use timeoutMs",
      }),
    );
  });
});

const likeSignal = { aborted: false, addEventListener() {} };

describe.each<[string, Rule, readonly unknown[], readonly unknown[]]>([
  ["anything", anything, [null, 1, "a"], []],
  ["aString", aString, ["", "a"], [1, null, new String("a")]],
  ["aBoolean", aBoolean, [true, false], [0, "true", null]],
  ["aFunction", aFunction, [() => {}, class {}], [{}, null]],
  ["anObject", anObject, [{}, new Map()], [[], null, () => {}, "a"]],
  ["stringList", stringList, [[], ["a"]], [["a", 1], "a", null]],
  [
    "stringRecord",
    stringRecord,
    [{}, { a: "b", c: undefined }, Object.assign(Object.create(null), { a: "b" })],
    [{ a: 1 }, { a: null }, ["a"], new Map([["a", "b"]]), new Headers({ a: "b" }), null, "a"],
  ],
  ["duration", duration, [0, 0.5, Number.POSITIVE_INFINITY], [-1, Number.NaN, null, "1"]],
  ["milliseconds", milliseconds, [0.5, 1, Number.POSITIVE_INFINITY], [0, -1, Number.NaN, null, "soon", 1n]],
  ["byteCount", byteCount, [0, 1.5, Number.POSITIVE_INFINITY], [-1, Number.NaN, null, "1"]],
  [
    "anAbortSignal",
    anAbortSignal,
    [new AbortController().signal, likeSignal],
    [{}, null, new AbortController()],
  ],
  ["oneOf", oneOf("a", null), ["a", null], ["b", 0]],
  ["integer", integer(1, 3), [1, 3], [0, 4, 1.5, "1", Number.NaN]],
  ["either", either(aBoolean, anObject), [true, {}], [1, null]],
])("%s", (_, rule, right, wrong) => {
  it("accepts the right kind and says what it expected otherwise", () => {
    for (const value of right) expect(rule(value)).toBeUndefined();
    for (const value of wrong) expect(rule(value)).toBeTypeOf("string");
  });
});
