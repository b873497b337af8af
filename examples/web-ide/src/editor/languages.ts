import type { Extension } from "@codemirror/state";

interface Language {
  readonly name: string;
  /** Loads its parser, with the first file that needs it. */
  readonly load: () => Promise<Extension>;
}

const PLAIN: Language = { name: "Plain text", load: async () => [] };

const script = (options: { jsx?: boolean; typescript?: boolean }) => async (): Promise<Extension> =>
  (await import("@codemirror/lang-javascript")).javascript(options);

const LANGUAGES: readonly (readonly [RegExp, Language])[] = [
  [/\.[mc]?jsx?$/, { name: "JavaScript", load: script({ jsx: true }) }],
  [/\.[mc]?ts$/, { name: "TypeScript", load: script({ typescript: true }) }],
  [/\.tsx$/, { name: "TypeScript", load: script({ typescript: true, jsx: true }) }],
  [/\.json$/, { name: "JSON", load: async () => (await import("@codemirror/lang-json")).json() }],
  [
    /\.(md|markdown)$/,
    { name: "Markdown", load: async () => (await import("@codemirror/lang-markdown")).markdown() },
  ],
  [/\.html?$/, { name: "HTML", load: async () => (await import("@codemirror/lang-html")).html() }],
  [/\.css$/, { name: "CSS", load: async () => (await import("@codemirror/lang-css")).css() }],
];

/** The language of a file, by its name. */
export function languageOf(path: string): Language {
  return LANGUAGES.find(([pattern]) => pattern.test(path))?.[1] ?? PLAIN;
}
