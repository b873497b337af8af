import { invalid, received, unsupported } from "./arguments.ts";

/** Checks the value of one option. Returns what was expected of it, or undefined if it is right. */
export type Rule = (value: unknown) => string | undefined;

/** A rule for each option. An option without one does not compile. */
export type Rules<Options> = { readonly [Name in keyof Options]-?: Rule };

const rule = (isRight: (value: unknown) => boolean, expected: string): Rule => {
  return (value) => (isRight(value) ? undefined : expected);
};

const isNumber = (value: unknown): value is number => typeof value === "number";
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

export const anything: Rule = () => undefined;
export const aString = /* @__PURE__ */ rule((value) => typeof value === "string", "a string");
export const aNonEmptyString = /* @__PURE__ */ rule(
  (value) => typeof value === "string" && value !== "",
  "a non-empty string",
);
export const aBoolean = /* @__PURE__ */ rule((value) => typeof value === "boolean", "a boolean");
export const aFunction = /* @__PURE__ */ rule((value) => typeof value === "function", "a function");
export const anObject = /* @__PURE__ */ rule(
  (value) => isObject(value) && !Array.isArray(value),
  "an object",
);
/** A list whose members the SDK only reads. */
export const stringList = /* @__PURE__ */ rule(
  (value) => Array.isArray(value) && value.every((member) => typeof member === "string"),
  "an array of strings",
);
/** Names and texts, such as headers and variables. A member that is undefined counts as not given. */
export const stringRecord = /* @__PURE__ */ rule(
  // Iterable ones, such as Headers, have no members to read.
  (value) =>
    isObject(value) &&
    !(Symbol.iterator in value) &&
    Object.values(value).every((member) => member === undefined || typeof member === "string"),
  "an object with strings",
);
/** A timeout or an interval. Infinity stands for none. */
export const milliseconds = /* @__PURE__ */ rule(
  (value) => isNumber(value) && value > 0,
  "a positive number of milliseconds",
);
/** A period that may be empty. Infinity stands for no limit. */
export const duration = /* @__PURE__ */ rule(
  (value) => isNumber(value) && value >= 0,
  "a number of milliseconds, 0 or more",
);
export const byteCount = /* @__PURE__ */ rule(
  (value) => isNumber(value) && value >= 0,
  "a number of bytes, 0 or more",
);
/** By its members: the signal may come from another realm, or from a library. */
export const anAbortSignal = /* @__PURE__ */ rule(
  (value) =>
    isObject(value) &&
    typeof value["aborted"] === "boolean" &&
    typeof value["addEventListener"] === "function",
  "an AbortSignal",
);

export function oneOf(...choices: readonly (string | null)[]): Rule {
  const texts = choices.map((choice) => JSON.stringify(choice));
  return rule((value) => (choices as readonly unknown[]).includes(value), texts.join(" or "));
}

export function integer(least: number, most: number): Rule {
  return rule(
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    `an integer from ${least} to ${most}`,
  );
}

/** Either kind. */
export function either(...rules: readonly Rule[]): Rule {
  return (value) => {
    const expected = rules.map((check) => check(value));
    return expected.includes(undefined) ? undefined : expected.join(" or ");
  };
}

/** Checks one argument by a rule. Unlike an option, it may not be undefined. Throws a UsageError `ERR_INVALID_ARGUMENT`. */
export function checkArgument(argument: string, value: unknown, rule: Rule): void {
  const expected = rule(value);
  if (expected) invalid(`${argument} must be ${expected}, got ${received(value)}`);
}

/**
 * Checks an options object: that its values are of the right kind and, if it is a plain record, that each name is known.
 * Of an instance of a class only the known members are read. `undefined` always means that an option is not given.
 *
 * @param caller The method, such as `run()`.
 * @param hints For options of other APIs that can't be had here: their name, and what to do instead.
 * @throws UsageError `ERR_INVALID_ARGUMENT`, or `ERR_UNSUPPORTED` for an option with a hint.
 */
export function checkOptions<Options extends object>(
  caller: string,
  options: Options | undefined,
  rules: Rules<Options>,
  hints: Readonly<Record<string, string>> = {},
): void {
  if (options === undefined) return;
  if (!isObject(options) || Array.isArray(options)) {
    invalid(`${caller}: options must be an object, got ${received(options)}`);
  }
  const names = Object.keys(rules);
  if (isPlain(options)) {
    for (const name of Object.keys(options)) {
      if (names.includes(name) || options[name] === undefined) continue;
      const hint = Object.hasOwn(hints, name) ? hints[name] : undefined;
      if (hint !== undefined) unsupported(`${caller} does not support the option ${name}: ${hint}`);
      invalid(`${caller} has no option ${JSON.stringify(name)}; its options are ${names.join(", ")}`);
    }
  }
  for (const name of names) {
    const value = options[name];
    const expected = value === undefined ? undefined : (rules as Record<string, Rule>)[name]?.(value);
    if (expected) invalid(`${caller}: ${name} must be ${expected}, got ${received(value)}`);
  }
}

/** A record without a prototype, or with any realm's `Object.prototype`. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}
