import { openDialog } from "../page/dialog.ts";
import { make } from "../page/dom.ts";

const KEYS: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    "Everywhere",
    [
      ["Ctrl P", "Go to a file"],
      ["Ctrl Shift P", "Run a command"],
      ["Ctrl S", "Save"],
      ["Esc", "Cancel a read or a save, close a dialog"],
      ["F6", "Next pane, also out of the terminal"],
      ["F1", "This list"],
    ],
  ],
  [
    "Editor",
    [
      ["Ctrl F", "Find and replace"],
      ["Ctrl Z", "Undo"],
      ["Ctrl /", "Comment a line"],
      ["Alt ↑ ↓", "Move a line"],
      ["Esc, then Tab", "Leave the text"],
    ],
  ],
  [
    "Tabs",
    [
      ["← →", "Select"],
      ["Home End", "First, last"],
      ["Del", "Close"],
    ],
  ],
  [
    "Terminal",
    [
      ["Ctrl Shift C", "Copy"],
      ["Ctrl Shift V", "Paste"],
    ],
  ],
  [
    "Files",
    [
      ["↑ ↓ ← →", "Move, expand, collapse"],
      ["Enter", "Open"],
      ["F2", "Rename"],
      ["Del", "Delete"],
      ["a…z", "Go to a name"],
    ],
  ],
];

/** Shows the keys of the page in a dialog. */
export function showKeyboardHelp(): void {
  if (document.querySelector("dialog.keys[open]")) return;
  const groups = KEYS.map(([title, keys]) => {
    const rows = keys.flatMap(([combination, what]) => [
      make("dt", {}, ...combination.split(/(?<=[^,]) /).map((key) => make("kbd", {}, key))),
      make("dd", {}, what),
    ]);
    return make("section", {}, make("h3", {}, title), make("dl", {}, ...rows));
  });
  const close = make("button", { type: "button", className: "primary", textContent: "Close" });
  const dialog = openDialog(
    "Keyboard",
    make("div", { className: "keys-groups" }, ...groups),
    make("div", { className: "dialog-actions" }, close),
  );
  dialog.classList.add("keys");
  close.addEventListener("click", () => dialog.close());
  // The button has the focus, and may be far below.
  dialog.scrollTop = 0;
}
