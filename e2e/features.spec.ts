import type { FeatureName } from "./page/features.ts";
import { FEATURES, useFeature } from "./support/features.ts";
import { test } from "./support/fixtures.ts";

for (const name of Object.keys(FEATURES) as FeatureName[]) {
  test(`has the feature ${name} in a page`, async ({ tab, stage }) => {
    await useFeature(tab, stage, name);
  });
}
