import { make } from "../page/dom.ts";

/** Asks for a name, within a row of the tree. Resolves with undefined after Escape, or when the focus leaves. */
export function inputName(
  host: HTMLElement,
  before: Element | null,
  options: {
    readonly label: string;
    readonly value?: string;
    readonly indent: number;
  },
): Promise<string | undefined> {
  const { label, value = "", indent } = options;
  const input = make("input", { className: "name-input", value, spellcheck: false, autocomplete: "off" });
  input.ariaLabel = label;
  const row = make("div", { className: "row" }, input);
  row.role = "treeitem";
  row.ariaLevel = String(indent + 1);
  row.style.setProperty("--indent", String(indent));
  host.insertBefore(row, before);
  input.focus();
  // The name without its extension.
  const dot = value.lastIndexOf(".");
  input.setSelectionRange(0, dot > 0 ? dot : value.length);
  return new Promise((resolve) => {
    let isEnded = false;
    const end = (name: string | undefined): void => {
      // Removing the row takes the focus away, which ends it once more.
      if (isEnded) return;
      isEnded = true;
      resolve(name);
      row.remove();
    };
    input.addEventListener("blur", () => end(undefined));
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") end(undefined);
      const name = input.value.trim();
      if (event.key === "Enter" && name !== "") end(name);
    });
  });
}
