import { invalid, received } from "../internal/arguments.ts";
import { aBoolean, aString, integer, type Rule, type Rules } from "../internal/option-rules.ts";
import { isUint8Array } from "../internal/realms.ts";
import type { DialRefusal, TestServerDoor } from "./channel.ts";

/** The checks of the test server's arguments. */

export const dataRule: Rule = (value) =>
  typeof value === "string" || isUint8Array(value) ? undefined : "a string or a Uint8Array";

export const filesRule: Rule = (value) =>
  typeof value === "object" && value !== null && Object.values(value).every((file) => !dataRule(file))
    ? undefined
    : "an object with strings or Uint8Arrays by path";

export const REFUSAL_RULES: Rules<DialRefusal> = {
  status: integer(100, 599),
  closeCode: integer(1000, 4999),
  reason: aString,
};

export const exitCodeRule: Rule = integer(-(2 ** 31), 2 ** 32);

/** Options of {@link TestProcess.exit}. */
export interface TestExitOptions {
  /** Whether the sandbox denied an operation of the process. @default false */
  readonly sandboxDenied?: boolean;
  /** Leaves the output open until {@link TestProcess.closeOutput}, as a grandchild process does. @default false */
  readonly keepsOutput?: boolean;
}

export const EXIT_RULES: Rules<TestExitOptions> = {
  sandboxDenied: aBoolean,
  keepsOutput: aBoolean,
};

export function checkAcceptor(caller: string, acceptor: TestServerDoor): void {
  if (typeof acceptor?.admit !== "function" || typeof acceptor.accept !== "function") {
    invalid(`${caller}: acceptor must be a TestServer, got ${received(acceptor)}`);
  }
}
