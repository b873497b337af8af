import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BREAKAGES } from "../fuzz/breakages.ts";
import { QUICK, SLOW } from "../soak/breakages.ts";
import { SOURCES } from "./sdk.ts";

it.each(Object.entries({ ...BREAKAGES, ...QUICK, ...SLOW }))(
  "finds the text of a broken build exactly once: %s",
  (_, { file, find }) => {
    expect(readFileSync(join(SOURCES, file), "utf8").split(find)).toHaveLength(2);
  },
);
