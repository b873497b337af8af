import { history, redo, undo } from "@codemirror/commands";
import { EditorState, type Transaction } from "@codemirror/state";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isSameText, keepLineEnds, lineEndsOf, textOf } from "../../examples/web-ide/src/editor/line-ends.ts";

function stateOf(text: string): EditorState {
  const { lines, extension } = keepLineEnds(text);
  return EditorState.create({ doc: lines, extensions: [extension, history()] });
}

/** Runs a command of the editor. */
function run(state: EditorState, command: typeof undo): EditorState {
  let next = state;
  command({
    state,
    dispatch: (transaction: Transaction) => {
      next = transaction.state;
    },
  });
  return next;
}

const texts = fc
  .array(fc.constantFrom("a", "b", "\n", "\r\n", "\r", "é"), { maxLength: 40 })
  .map((parts) => parts.join(""));

test("a text comes back as it was, whatever its line ends are", () => {
  fc.assert(fc.property(texts, (text) => void expect(textOf(stateOf(text))).toBe(text)));
  for (const text of ["", "\n", "\r\n\r\n", "\r", "a\r\n\nb\rc", "\u{feff}a\u2028b\u0085"]) {
    expect(textOf(stateOf(text))).toBe(text);
  }
});

test("an edit changes no line end outside of it, and an undo brings those within it back", () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(6), fc.constantFrom("", "x", "\n", "x\ny")), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(texts, edits, (text, list) => {
      const start = stateOf(text);
      let state = start;
      const steps: EditorState[] = [state];
      for (const [at, length, insert] of list) {
        const from = at % (state.doc.length + 1);
        const to = Math.min(state.doc.length, from + length);
        if (from === to && insert === "") continue;
        const before = textOf(state.update({ changes: { from, to: state.doc.length } }).state);
        const after = textOf(state.update({ changes: { from: 0, to } }).state);
        state = state.update({ changes: { from, to, insert }, annotations: [] }).state;
        steps.push(state);
        expect(textOf(state).startsWith(before)).toBe(true);
        expect(textOf(state).endsWith(after)).toBe(true);
      }
      let undone = state;
      for (let n = 0; n < steps.length; n++) undone = run(undone, undo);
      expect(textOf(undone)).toBe(text);
      expect(isSameText(undone, start)).toBe(true);
      for (let n = 0; n < steps.length; n++) undone = run(undone, redo);
      expect(textOf(undone)).toBe(textOf(state));
    }),
  );
});

test("names the line ends, and new lines have the most frequent one", () => {
  expect(["a", "a\nb", "a\r\nb", "a\rb", "a\r\nb\n"].map((text) => lineEndsOf(stateOf(text)))).toEqual([
    "LF",
    "LF",
    "CRLF",
    "CR",
    "Mixed line ends",
  ]);
  const state = stateOf("a\r\nb\nc\r\n");
  expect(textOf(state.update({ changes: { from: 0, insert: "x\n" } }).state)).toBe("x\r\na\r\nb\nc\r\n");
});

test("a line end of another kind is a change", () => {
  const state = stateOf("a\nb\r\nc\n");
  const from = state.doc.line(2).to;
  const joined = state.update({ changes: { from, to: from + 1 } }).state;
  const retyped = joined.update({ changes: { from, insert: "\n" } }).state;
  expect(retyped.doc.eq(state.doc)).toBe(true);
  expect(isSameText(retyped, state)).toBe(false);
});
