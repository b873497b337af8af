import type { Program } from "./program.ts";
import { snippets } from "./snippets.ts";

/** What the recipes print, by chapter. Each is a program after the lines at the top of their guide. */
const RECIPES: Readonly<Record<string, Pick<Program, "prints" | "before" | "after">>> = {
  "A pipeline": { prints: /^1\n/ },
  Variables: { prints: /^STAGE=test\n\n$/ },
  "An exit code that is no error": { prints: /^2 ls: / },
  "Each line of output with a prefix": { prints: /^\[stdout\] built$/m },
  "A limit of time, and Ctrl-C": { prints: /^took too long, after started\n/ },
  "A local file as input": { prints: /^root$/m },
  "The end of a log file, as it grows": { prints: /^line\nline\n$/ },
  "Many commands, four at a time": { prints: /^(hello (ada|bob|eve|kim|lea|max)\n){6}$/ },
  "Many servers": {
    prints: /^((one|two|three)\n){3}0 jobs without a server/,
  },
  "Many files": { prints: /^1 files/ },
  "A bar of progress": { prints: /#{40} 500000 bytes\n500000/ },
  "Build there, in a directory that goes away": {
    after: `
      import { readFileSync } from "node:fs";
      console.log(readFileSync("dist/app.js", "utf8"), await client.fs.exists(there));
    `,
    prints: /^uploaded false/,
  },
  "Build there whenever a file changes here": {
    before: `
      import { writeFileSync } from "node:fs";
      const print = console.log;
      console.log = (...line) => {
        print(...line);
        process.exit();
      };
      setInterval(() => writeFileSync("project/app.js", "uploaded"), 50);
    `,
    prints: /^app\.js 8 app\.js/,
  },
  "A server there, used from here": { prints: /^200 200/ },
  "Again, but only what was not sent": { prints: /^deployed/ },
  "A test without a server": { prints: /^# pass 1$|pass 1$/m },
};

const guide = "docs/recipes.md: ";

/** The recipes as programs: each follows the lines at the top of their guide. */
export const RECIPE_PROGRAMS: readonly Program[] = Object.entries(RECIPES).map(([title, expected]) => ({
  chapter: guide + title,
  snippets: [0],
  ...expected,
  before: `${snippets().get(guide)?.[0]}${expected.before ?? ""}`,
}));
