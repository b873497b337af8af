import { byId } from "../page/dom.ts";
import { makeTab, setUpTabList, type Tab } from "../page/tab-list.ts";
import type { OpenFile } from "./open-file.ts";

/** The tab list of the open files. */
export class Tabs {
  readonly #host = byId("tabs");
  readonly #tabs = new Map<OpenFile, Tab>();
  readonly #onSelect: (file: OpenFile) => void;
  readonly #onClose: (file: OpenFile) => void;
  #selected: OpenFile | undefined;

  constructor(options: { onSelect: (file: OpenFile) => void; onClose: (file: OpenFile) => void }) {
    this.#onSelect = options.onSelect;
    this.#onClose = options.onClose;
    setUpTabList(this.#host, (label) => {
      const found = [...this.#tabs].find(([, tab]) => tab.label === label);
      if (found) this.#onClose(found[0]);
    });
  }

  /** Shows these files in their order. */
  show(files: Iterable<OpenFile>, selected: OpenFile | undefined): void {
    const shown = new Set(files);
    const hadFocus = this.#host.contains(document.activeElement);
    for (const [file, { element }] of this.#tabs) {
      if (shown.has(file)) continue;
      element.remove();
      this.#tabs.delete(file);
    }
    for (const file of shown) this.#update(file, file === selected);
    if (selected === this.#selected) return;
    this.#selected = selected;
    const tab = selected && this.#tabs.get(selected);
    tab?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (hadFocus) tab?.label.focus();
  }

  #update(file: OpenFile, isSelected: boolean): void {
    const { element, label } = this.#tabs.get(file) ?? this.#make(file);
    const states = [
      file.isReadOnly && "read-only",
      file.isChanged && "not saved",
      file.banner?.kind === "warning" && "needs attention",
    ];
    element.toggleAttribute("data-current", isSelected);
    element.toggleAttribute("data-changed", file.isChanged);
    element.toggleAttribute("data-warning", file.banner?.kind === "warning");
    label.textContent = file.name;
    label.title = file.path;
    label.ariaLabel = [file.name, ...states].filter(Boolean).join(", ");
    label.ariaSelected = String(isSelected);
    label.ariaBusy = String(file.isSaving);
    label.tabIndex = isSelected ? 0 : -1;
  }

  #make(file: OpenFile): Tab {
    const tab = makeTab({
      controls: "editor",
      onSelect: () => this.#onSelect(file),
      onClose: () => this.#onClose(file),
    });
    tab.close.title = "Close (Delete)";
    this.#tabs.set(file, tab);
    this.#host.append(tab.element);
    return tab;
  }
}
