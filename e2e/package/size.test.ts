import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundle, sizeOf } from "../../test/support/bundle.ts";
import { MINIFIED_BUDGET, SIZE_BUDGETS } from "../../test/support/size-budgets.ts";
import { CONSUMER, INSTALLED } from "../support/packed.ts";

function expectWithin(budget: number, size: number): void {
  expect(size).toBeLessThanOrEqual(budget);
  // A budget of more than 111 % of the size would not detect growth.
  expect(size).toBeGreaterThan(budget * 0.9);
}

describe("a bundle for a page", () => {
  it.each(SIZE_BUDGETS)("stays within its budget with $name", async ({ source, gzipped: budget }) => {
    expectWithin(budget, (await bundle(source, CONSUMER)).gzipped);
  });
});

it("the file for pages without a bundler stays within its budget", () => {
  const file = readFileSync(join(INSTALLED, "dist/exec-server-sdk.min.js"));
  expectWithin(MINIFIED_BUDGET, sizeOf(file).gzipped);
});
