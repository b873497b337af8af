import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { keepLineEnds } from "./line-ends.ts";

/** The colours are variables of the style sheet, which defines a light and a dark theme. */
const COLOURS = HighlightStyle.define([
  {
    tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.processingInstruction],
    color: "var(--code-keyword)",
  },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.monospace], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.unit, tags.color], color: "var(--code-number)" },
  { tag: [tags.comment, tags.quote], color: "var(--code-comment)", fontStyle: "italic" },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.link, tags.url],
    color: "var(--code-function)",
  },
  { tag: [tags.typeName, tags.className, tags.tagName], color: "var(--code-type)" },
  { tag: [tags.propertyName, tags.attributeName], color: "var(--code-function)" },
  { tag: tags.heading, color: "var(--code-keyword)", fontWeight: "650" },
  { tag: tags.strong, fontWeight: "650" },
  { tag: tags.emphasis, fontStyle: "italic" },
]);

const THEME = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "13px", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--accent)", padding: "10px 0 40px" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--pane)", color: "var(--faint)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 14px 0 18px", minWidth: "44px" },
  ".cm-line": { padding: "0 16px 0 4px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  ".cm-activeLineGutter": { color: "var(--text)" },
  "&:not(.cm-focused) :is(.cm-activeLine, .cm-activeLineGutter)": { backgroundColor: "transparent" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selection)" },
  ".cm-specialChar": { color: "var(--bad)" },
});

/** The labels of the search, written as those of the page. */
const PHRASES = {
  next: "Next",
  previous: "Previous",
  all: "All",
  "match case": "Match case",
  regexp: "Pattern",
  "by word": "Words",
  replace: "Replace",
  "replace all": "Replace all",
};

/** The editor state of a file: its text, its line ends and undo history. */
export function makeState(options: {
  readonly text: string;
  readonly language: Extension;
  readonly isReadOnly: boolean;
  /** Whether long lines are wrapped. */
  readonly wraps: boolean;
}): EditorState {
  const { lines, extension } = keepLineEnds(options.text);
  return EditorState.create({
    doc: lines,
    extensions: [
      EXTENSIONS,
      extension,
      options.language,
      EditorState.readOnly.of(options.isReadOnly),
      options.wraps ? EditorView.lineWrapping : [],
      // The tab stop also makes the scrolled area around it reachable.
      EditorView.contentAttributes.of({ "aria-label": "Text of the file", tabindex: "0" }),
    ],
  });
}

const EXTENSIONS: readonly Extension[] = [
  lineNumbers(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  highlightSpecialChars(),
  highlightSelectionMatches(),
  history(),
  drawSelection(),
  indentOnInput(),
  bracketMatching(),
  search({ top: true }),
  EditorState.phrases.of(PHRASES),
  syntaxHighlighting(COLOURS),
  keymap.of([...searchKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
  THEME,
];
