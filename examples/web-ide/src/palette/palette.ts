import { openDialog } from "../page/dialog.ts";
import { make } from "../page/dom.ts";
import { explain } from "../page/notice.ts";
import type { FileIndex } from "./file-index.ts";
import { fuzzyMatch, type Match } from "./fuzzy.ts";

export interface Command {
  readonly label: string;
  readonly keys?: string;
  /** @default always */
  readonly isEnabled?: () => boolean;
  readonly run: () => void;
}

interface Choice extends Match {
  readonly label: string;
  readonly keys?: string | undefined;
  readonly run: () => void;
}

const MAX_SHOWN = 60;
const HINT = "Type to find a file, or > for a command";

/** A dialog that finds a file of the workspace, or a command. */
export class Palette {
  readonly #index: FileIndex;
  readonly #commands: readonly Command[];
  readonly #onOpen: (path: string) => void;
  readonly #input = make("input", { className: "palette-input", spellcheck: false, autocomplete: "off" });
  readonly #list = make("div", { className: "palette-list", id: "palette-list" });
  readonly #status = make("p", { className: "palette-status" });
  #dialog: HTMLDialogElement | undefined;
  #choices: readonly Choice[] = [];
  #selected = 0;

  constructor(options: {
    index: FileIndex;
    commands: readonly Command[];
    onOpen: (path: string) => void;
  }) {
    this.#index = options.index;
    this.#commands = options.commands;
    this.#onOpen = options.onOpen;
    const input = this.#input;
    input.role = "combobox";
    input.ariaLabel = HINT;
    input.placeholder = HINT;
    input.ariaExpanded = "true";
    input.ariaAutoComplete = "list";
    input.setAttribute("aria-controls", this.#list.id);
    this.#list.role = "listbox";
    this.#list.ariaLabel = "Matches";
    this.#status.role = "status";
    input.addEventListener("input", () => this.#search());
    input.addEventListener("keydown", (event) => {
      if (this.#press(event.key)) event.preventDefault();
    });
    this.#list.addEventListener("click", ({ target }) => {
      const option = target instanceof Element ? target.closest("[role=option]") : null;
      if (option) this.#choose([...this.#list.children].indexOf(option));
    });
  }

  /** Opens the palette with this text in it. */
  open(text = ""): void {
    this.#input.value = text;
    if (!this.#dialog?.open) {
      this.#dialog = openDialog("Go to", this.#input, this.#list, this.#status);
      this.#dialog.classList.add("palette");
    }
    this.#input.focus();
    this.#search();
    // What is known is shown at once; what is there now, as soon as it has arrived.
    const dialog = this.#dialog;
    this.#index.read().then(
      () => dialog.open && this.#search(),
      (error) => {
        this.#status.textContent = `The files can't be listed: ${explain(error)}`;
      },
    );
  }

  #search(): void {
    const text = this.#input.value.trimStart();
    const all = text.startsWith(">")
      ? this.#findCommands(text.slice(1).trim())
      : this.#findFiles(text.trim());
    this.#choices = all.slice(0, MAX_SHOWN);
    this.#list.replaceChildren(...this.#choices.map(optionOf));
    this.#select(0);
    const more = all.length - this.#choices.length;
    const found = all.length === 1 ? "1 match" : `${all.length.toLocaleString("en")} matches`;
    const shown = more > 0 ? `, of which ${MAX_SHOWN} are shown` : "";
    const rest = this.#index.isTruncated ? ". The workspace has more files than are listed" : "";
    this.#status.textContent = all.length > 0 ? `${found}${shown}${rest}` : `No match${rest}`;
  }

  #findFiles(pattern: string): Choice[] {
    return ranked(pattern, this.#index.files, (file) => ({
      label: file,
      run: () => this.#onOpen(this.#index.pathOf(file)),
    }));
  }

  #findCommands(pattern: string): Choice[] {
    const enabled = this.#commands.filter(({ isEnabled }) => isEnabled?.() ?? true);
    const byLabel = new Map(enabled.map((command) => [command.label, command]));
    return ranked(pattern, [...byLabel.keys()], (label) => ({
      label,
      keys: byLabel.get(label)?.keys,
      run: () => byLabel.get(label)?.run(),
    }));
  }

  #press(key: string): boolean {
    const last = this.#choices.length - 1;
    if (key === "Enter") this.#choose(this.#selected);
    else if (key === "ArrowDown") this.#select(this.#selected === last ? 0 : this.#selected + 1);
    else if (key === "ArrowUp") this.#select(this.#selected === 0 ? last : this.#selected - 1);
    else if (key === "PageDown") this.#select(Math.min(last, this.#selected + 8));
    else if (key === "PageUp") this.#select(Math.max(0, this.#selected - 8));
    else return false;
    return true;
  }

  #select(at: number): void {
    this.#list.children[this.#selected]?.setAttribute("aria-selected", "false");
    this.#selected = at;
    const option = this.#list.children[at];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.#input.setAttribute("aria-activedescendant", option.id);
    else this.#input.removeAttribute("aria-activedescendant");
  }

  #choose(at: number): void {
    const choice = this.#choices[at];
    if (!choice) return;
    // First, so that what is opened can take the focus.
    this.#dialog?.close();
    choice.run();
  }
}

function ranked(
  pattern: string,
  labels: readonly string[],
  choiceOf: (label: string) => Omit<Choice, keyof Match>,
): Choice[] {
  const matches = labels.flatMap((label) => {
    const match = fuzzyMatch(pattern, label);
    return match ? [{ label, match }] : [];
  });
  if (pattern !== "") matches.sort((a, b) => b.match.score - a.match.score);
  return matches.map(({ label, match }) => ({ ...choiceOf(label), ...match }));
}

/** The name before its directory, with the characters that fit marked. */
function optionOf({ label, keys, positions }: Choice, at: number): HTMLElement {
  const start = keys === undefined ? Math.max(label.lastIndexOf("/"), label.lastIndexOf("\\")) + 1 : 0;
  const name = make("span", { className: "palette-name" }, ...marked(label, start, label.length, positions));
  const directory = make("span", { className: "palette-path" }, ...marked(label, 0, start, positions));
  const option = make(
    "div",
    { className: "palette-option", id: `palette-${at}`, title: label },
    name,
    directory,
  );
  if (keys) option.append(make("kbd", {}, keys));
  option.role = "option";
  option.ariaSelected = "false";
  return option;
}

function marked(text: string, from: number, to: number, positions: readonly number[]): (Node | string)[] {
  const parts: (Node | string)[] = [];
  for (let at = from; at < to; at++) {
    const isMarked = positions.includes(at);
    let end = at + 1;
    while (end < to && positions.includes(end) === isMarked) end++;
    const part = text.slice(at, end);
    parts.push(isMarked ? make("mark", {}, part) : part);
    at = end - 1;
  }
  return parts;
}
