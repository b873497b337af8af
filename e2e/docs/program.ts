import { snippets } from "./snippets.ts";

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
