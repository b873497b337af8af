import { invertedEffects } from "@codemirror/commands";
import {
  type ChangeDesc,
  type EditorState,
  type Extension,
  type Range,
  RangeSet,
  RangeValue,
  StateEffect,
  StateField,
} from "@codemirror/state";

/** A line end that differs from most of its file. It covers the line break in the document, and goes with it. */
class LineEnd extends RangeValue {
  override startSide = 1;
  override endSide = -1;
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  override eq(other: LineEnd): boolean {
    return other.text === this.text;
  }
}

interface LineEnds {
  /** The most frequent one. New lines have it. */
  readonly usual: string;
  readonly others: RangeSet<LineEnd>;
}

/** An undo brings deleted line ends back. */
const restore = StateEffect.define<readonly Range<LineEnd>[]>({
  map: (ends, changes) => {
    const kept: Range<LineEnd>[] = [];
    RangeSet.of([...ends], true)
      .map(changes)
      .between(0, Number.MAX_SAFE_INTEGER, (from, to, end) => void kept.push(end.range(from, to)));
    return kept;
  },
});

const field = StateField.define<LineEnds>({
  create: () => ({ usual: "\n", others: RangeSet.empty }),
  update: ({ usual, others }, { changes, docChanged, effects }) => {
    let next = others;
    if (docChanged) {
      // A range would go on to cover what has replaced its line break.
      const gone = new Set(deleted(others, changes).map(({ from }) => from));
      next = others.update({ filter: (from) => !gone.has(from) }).map(changes);
    }
    for (const effect of effects) {
      if (effect.is(restore)) next = next.update({ add: effect.value, sort: true });
    }
    return { usual, others: next };
  },
});

const restored = invertedEffects.of(({ startState, changes }) => {
  const gone = deleted(startState.field(field).others, changes);
  return gone.length > 0 ? [restore.of(gone)] : [];
});

/** The line ends that a change deletes. */
function deleted(others: RangeSet<LineEnd>, changes: ChangeDesc): Range<LineEnd>[] {
  const gone: Range<LineEnd>[] = [];
  changes.iterChangedRanges((fromA, toA) => {
    others.between(fromA, toA, (from, to, end) => {
      if (fromA <= from && to <= toA) gone.push(end.range(from, to));
    });
  });
  return gone;
}

/**
 * Keeps the line ends of a text, also mixed ones: CodeMirror itself has only one kind. Returns the text with line feeds,
 * and the extension that remembers the others.
 */
export function keepLineEnds(text: string): { readonly lines: string; readonly extension: Extension } {
  const ends = text.match(/\r\n?|\n/g) ?? [];
  const usual = mostFrequent(ends);
  const lines = text.replace(/\r\n?/g, "\n");
  const others: Range<LineEnd>[] = [];
  let from = -1;
  for (const end of ends) {
    from = lines.indexOf("\n", from + 1);
    if (end !== usual) others.push(new LineEnd(end).range(from, from + 1));
  }
  const initial = { usual, others: RangeSet.of(others) };
  return { lines, extension: [field.init(() => initial), restored] };
}

/** The text of a state, with the line ends of its file. */
export function textOf(state: EditorState): string {
  const { usual, others } = state.field(field);
  const { doc } = state;
  let text = "";
  let from = 0;
  others.between(0, doc.length, (at, to, end) => {
    text += doc.sliceString(from, at, usual) + end.text;
    from = to;
  });
  return text + doc.sliceString(from, doc.length, usual);
}

/** Whether two states have the same text, including its line ends. */
export function isSameText(a: EditorState, b: EditorState): boolean {
  return a.doc.eq(b.doc) && RangeSet.eq([a.field(field).others], [b.field(field).others]);
}

/** For the status bar. */
export function lineEndsOf(state: EditorState): "LF" | "CRLF" | "CR" | "Mixed line ends" {
  const { usual, others } = state.field(field);
  if (others.size > 0) return "Mixed line ends";
  return usual === "\n" ? "LF" : usual === "\r" ? "CR" : "CRLF";
}

function mostFrequent(ends: readonly string[]): string {
  let found = "\n";
  const counts = new Map<string, number>();
  for (const end of ends) counts.set(end, (counts.get(end) ?? 0) + 1);
  for (const [end, count] of counts) if (count > (counts.get(found) ?? 0)) found = end;
  return found;
}
