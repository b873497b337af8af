import { byId, icon, make } from "../page/dom.ts";
import type { OpenFile } from "./open-file.ts";

/** The tab list of the open files, with one tab stop. Arrows, Home and End select, Delete closes. */
export class Tabs {
  readonly #host = byId("tabs");
  readonly #tabs = new Map<OpenFile, HTMLElement>();
  readonly #onSelect: (file: OpenFile) => void;
  readonly #onClose: (file: OpenFile) => void;
  #selected: OpenFile | undefined;

  constructor(options: { onSelect: (file: OpenFile) => void; onClose: (file: OpenFile) => void }) {
    this.#onSelect = options.onSelect;
    this.#onClose = options.onClose;
    this.#host.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.#press(event.key)) event.preventDefault();
    });
  }

  /** Shows these files in their order. */
  show(files: Iterable<OpenFile>, selected: OpenFile | undefined): void {
    const shown = new Set(files);
    const hadFocus = this.#host.contains(document.activeElement);
    for (const [file, tab] of this.#tabs) {
      if (shown.has(file)) continue;
      tab.remove();
      this.#tabs.delete(file);
    }
    for (const file of shown) this.#update(file, file === selected);
    if (selected === this.#selected) return;
    this.#selected = selected;
    const tab = selected && this.#tabs.get(selected);
    tab?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (hadFocus) tab?.focus();
  }

  #update(file: OpenFile, isSelected: boolean): void {
    const tab = this.#tabs.get(file) ?? this.#make(file);
    tab.title = file.path;
    tab.ariaSelected = String(isSelected);
    tab.ariaBusy = String(file.isSaving);
    tab.tabIndex = isSelected ? 0 : -1;
    tab.toggleAttribute("data-changed", file.isChanged);
    const name = tab.querySelector(".tab-name");
    if (name) name.textContent = file.name;
    const states = [
      file.isReadOnly && "read-only",
      file.isChanged && "not saved",
      file.banner?.kind === "warning" && "needs attention",
    ];
    tab.toggleAttribute("data-warning", Boolean(states[2]));
    tab.ariaLabel = [file.name, ...states].filter(Boolean).join(", ");
  }

  #make(file: OpenFile): HTMLElement {
    // The cross is for the pointer; the keyboard has the Delete key.
    const close = make("span", { className: "tab-close", title: "Close (Delete)" }, icon("close"));
    close.ariaHidden = "true";
    close.addEventListener("click", (event) => {
      event.stopPropagation();
      this.#onClose(file);
    });
    const tab = make("div", { className: "tab" }, make("span", { className: "tab-name" }), close);
    tab.role = "tab";
    tab.setAttribute("aria-controls", "editor");
    tab.addEventListener("click", () => this.#onSelect(file));
    // As everywhere, the middle button closes.
    tab.addEventListener("auxclick", ({ button }) => button === 1 && this.#onClose(file));
    this.#tabs.set(file, tab);
    this.#host.append(tab);
    return tab;
  }

  #press(key: string): boolean {
    const files = [...this.#tabs.keys()];
    const at = this.#selected ? files.indexOf(this.#selected) : -1;
    if (at < 0) return false;
    if (key === "Delete") {
      this.#onClose(files[at] as OpenFile);
      return true;
    }
    const count = files.length;
    const next = {
      ArrowLeft: (at + count - 1) % count,
      ArrowRight: (at + 1) % count,
      Home: 0,
      End: count - 1,
    }[key];
    const file = next === undefined ? undefined : files[next];
    if (file) this.#onSelect(file);
    return file !== undefined;
  }
}
