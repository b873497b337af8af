import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const GUIDES = readdirSync(join(ROOT, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);

/** The TypeScript snippets of the README and the guides, by chapter. Those of a guide begin with its name. */
export function snippets(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of ["README.md", ...GUIDES]) {
    const prefix = GUIDES.includes(file) ? `${file}: ` : "";
    let heading = prefix;
    const text = readFileSync(join(ROOT, file), "utf8");
    for (const [, title, code] of text.matchAll(/^## (.+)$|^```ts\n([\s\S]*?)^```$/gm)) {
      if (title) heading = prefix + title;
      if (code) found.set(heading, [...(found.get(heading) ?? []), code]);
    }
  }
  return found;
}

/** A program made of snippets, which the tests compile and run. */
export interface Program {
  readonly chapter: string;
  /** The snippets of the chapter that form the program, by number. */
  readonly snippets: readonly number[];
  /** Further chapters, all of whose snippets follow. */
  readonly with?: readonly string[];
  /** Code around the snippets, which the README leaves to the reader. */
  readonly before?: string;
  readonly after?: string;
  /** The program's working directory. @default that of all programs */
  readonly cwd?: string;
  /** What the program reads from its standard input. */
  readonly input?: string;
  /** The expected output. */
  readonly prints?: RegExp;
  readonly isOnlyCompiled?: boolean;
}

/** The chapters and numbers of the snippets of a program. */
export function partsOf({ chapter, snippets: numbers, with: more = [] }: Program): [string, number][] {
  const all = snippets();
  const further = more.map((name) => chapter + name);
  return [
    ...numbers.map((n): [string, number] => [chapter, n]),
    ...further.flatMap((name) => (all.get(name) ?? []).map((_, n): [string, number] => [name, n])),
  ];
}
