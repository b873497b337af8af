import { describe, expect, it } from "vitest";
import { bundle } from "../../test/support/bundle.ts";
import { SIZE_BUDGETS } from "../../test/support/size-budgets.ts";
import { CONSUMER } from "../support/packed.ts";

describe("a bundle for a page", () => {
  it.each(SIZE_BUDGETS)("stays within its budget with $name", async ({ source, gzipped: budget }) => {
    const { gzipped } = await bundle(source, CONSUMER);
    expect(gzipped).toBeLessThanOrEqual(budget);
    // A budget of more than 111 % of the size would not detect growth.
    expect(gzipped).toBeGreaterThan(budget * 0.9);
  });
});
