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
    for (const [, title, code] of text(file).matchAll(/^## (.+)$|^```ts\n([\s\S]*?)^```$/gm)) {
      if (title) heading = prefix + title;
      if (code) add(found, heading, code);
    }
  }
  return found;
}

/** An `@example` of the source: its code up to the next tag, and the declaration below the comment. */
const EXAMPLE = /^ *\* @example\n((?: *\*(?!\/)(?! @).*\n)+)(?: *\*(?!\/).*\n)* *\*\/\n *(.*)/gm;
const MODIFIERS =
  /^(?:(?:export|abstract|class|function|const|interface|static|override|readonly|async|get) +)*/;

/** The examples of the API reference, by file and name of what they show. */
export function examples(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue;
    for (const [, code = "", below = ""] of text(`src/${file}`).matchAll(EXAMPLE)) {
      const [name] = /^[\w[\].]+/.exec(below.replace(MODIFIERS, "")) ?? [""];
      add(found, `${file}: ${name}`, code.replaceAll(/^ *\* ?/gm, ""));
    }
  }
  return found;
}

function add(found: Map<string, string[]>, name: string, code: string): void {
  found.set(name, [...(found.get(name) ?? []), code]);
}

function text(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}
