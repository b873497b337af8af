import { setUpSplitter } from "./splitter.ts";

const pane = (name: string): HTMLElement => document.querySelector(`.${name}`) as HTMLElement;

/** Sets up the bars between the panes. The limits in `styles/layout.css` are the same. */
export function setUpSplitters(): void {
  setUpSplitter({
    id: "files-splitter",
    property: "--files-width",
    pane: pane("files"),
    smallest: 160,
    rest: 488,
  });
  setUpSplitter({
    id: "splitter",
    property: "--terminal-height",
    pane: pane("lower"),
    smallest: 100,
    rest: 128,
  });
  setUpSplitter({
    id: "preview-splitter",
    property: "--preview-width",
    pane: pane("preview"),
    smallest: 220,
    rest: 248,
  });
  setUpSplitter({
    id: "processes-splitter",
    property: "--processes-width",
    pane: pane("processes"),
    smallest: 220,
    rest: 248,
  });
}
