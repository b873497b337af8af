import * as z from "zod/mini";

/** Like `z.int()`, which would add the code of its formats and bounds to every bundle. */
export function int(): z.ZodMiniNumber {
  return z.number().check(z.refine(Number.isSafeInteger));
}
