import * as z from "zod/mini";

/** As `z.int()`, without the formats and bounds that would come along into every page. */
export function int(): z.ZodMiniNumber {
  return z.number().check(z.refine(Number.isSafeInteger));
}
