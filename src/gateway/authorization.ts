import type { IncomingMessage } from "node:http";
import { received } from "../internal/arguments.ts";
import type { Awaitable } from "../internal/awaitable.ts";
import { aNonEmptyString, checkOptions, integer, type Rule, type Rules } from "../internal/option-rules.ts";
import type { Identity } from "./identity.ts";
import { TokenList } from "./tokens.ts";

/** Who an admitted page belongs to, and for how long. */
export interface Authorized {
  /** The name for events and limits. Not empty, no secret. */
  readonly user: string;
  /** When the page's connection is closed with 4408: a Date, or milliseconds since 1970. @default never */
  readonly expiresAt?: Date | number | undefined;
  /** Pages of this user connected at once, in place of `maxPagesPerUser`. @default `maxPagesPerUser` */
  readonly maxPages?: number | undefined;
}

/** Decides by the request: `true` or an object admits, `false` refuses. Anything else is a failed check. */
export type AuthorizeFunction = (request: IncomingMessage) => Awaitable<boolean | Authorized>;

/** Resolves with undefined for a refused request. Rejects if the check failed. */
export function authorize(
  by: AuthorizeFunction | TokenList,
  request: IncomingMessage,
  offered: readonly string[],
): Awaitable<Identity | undefined> {
  if (by instanceof TokenList) return by.find(offered);
  return (async () => identityOf(await by(request)))();
}

const date: Rule = (value) => (Number.isFinite(timeOf(value)) ? undefined : "a Date or a number");

/** Milliseconds since 1970. By `getTime` and not the class: the Date can be of another realm. */
function timeOf(value: unknown): unknown {
  if (typeof value !== "object") return value;
  const { getTime } = (value ?? {}) as { getTime?: unknown };
  return typeof getTime === "function" ? getTime.call(value) : undefined;
}

const RULES: Rules<Authorized> = {
  user: aNonEmptyString,
  expiresAt: date,
  maxPages: integer(1, 2 ** 31 - 1),
};

function identityOf(result: unknown): Identity | undefined {
  if (result === true) return {};
  if (result === false) return undefined;
  const { user, expiresAt, maxPages } = (typeof result === "object" && (result as Authorized | null)) || {};
  if (user === undefined) {
    throw new TypeError(
      `authorize must return true, false or an object with a user, got ${received(result)}`,
    );
  }
  // A copy: of an instance of a class, each name is checked as well. These three can be inherited, such as getters.
  checkOptions("The result of authorize", { ...(result as object), user, expiresAt, maxPages }, RULES);
  return { user, expiresAt: timeOf(expiresAt) as number | undefined, maxPages };
}
