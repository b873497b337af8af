import { byId, showView, VIEWS } from "./dom.ts";

/** Where F6 puts the focus in each pane, in this order. */
const PANES: readonly (readonly [pane: string, focus: string])[] = [
  [".pane.files", "[tabindex='0'], button"],
  [".pane.editor", ".cm-content, [role=tab][tabindex='0'], button:not(:disabled)"],
  [".pane.preview", "input"],
  [".pane.terminal", "#replace-terminal, [role=tabpanel]:not([hidden]) textarea, button"],
  [".pane.processes", "input"],
  ["#connection", "summary"],
];

/** Sets up the buttons of the views, and F6 and Shift+F6, which move the focus between the panes. */
export function setUpPanes(): void {
  for (const view of VIEWS) {
    byId(`show-${view}`).addEventListener("click", () => showView(view));
  }
  // Before the terminal and the editor, which would take the key.
  addEventListener("keydown", moveFocus, { capture: true });
}

function moveFocus(event: KeyboardEvent): void {
  if (event.key !== "F6" || event.ctrlKey || event.altKey || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  event.stopPropagation();
  const targets = PANES.flatMap(([pane, focus]) => {
    const host = [...document.querySelectorAll<HTMLElement>(pane)].find((each) => each.checkVisibility());
    const target = host && firstVisible(host, focus);
    return host && target ? [{ host, target }] : [];
  });
  const current = targets.findIndex(({ host }) => host.contains(document.activeElement));
  const step = event.shiftKey ? -1 : 1;
  const from = current < 0 && event.shiftKey ? 0 : current;
  targets.at((from + step) % targets.length)?.target.focus();
}

/** The first visible element for the first of the selectors that has one. */
function firstVisible(host: HTMLElement, selectors: string): HTMLElement | undefined {
  return selectors
    .split(", ")
    .flatMap((selector) => [...host.querySelectorAll<HTMLElement>(selector)])
    .find((element) => element.checkVisibility());
}
