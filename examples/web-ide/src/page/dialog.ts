import { make } from "./dom.ts";

export interface Action<Value> {
  readonly label: string;
  readonly value: Value;
  /** "primary" has the focus at first. Without one, the first action has it. */
  readonly kind?: "primary" | "danger";
}

let count = 0;

/** Opens a modal dialog and removes it when it closes. The focus then returns to where it was. */
export function openDialog(title: string, ...children: (Node | string)[]): HTMLDialogElement {
  const heading = make("h2", { id: `dialog-title-${++count}`, textContent: title });
  const dialog = make("dialog", { className: "dialog" }, heading, ...children);
  dialog.setAttribute("aria-labelledby", heading.id);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks a question. Resolves with the value of the chosen action, or with undefined after Escape. */
export function ask<Value>(question: {
  readonly title: string;
  readonly text: string;
  readonly actions: readonly Action<Value>[];
}): Promise<Value | undefined> {
  const { title, text, actions } = question;
  return new Promise((resolve) => {
    let chosen: Value | undefined;
    const buttons = actions.map(({ label, value, kind }) => {
      const button = make("button", { type: "button", className: kind ?? "", textContent: label });
      button.addEventListener("click", () => {
        chosen = value;
        dialog.close();
      });
      return button;
    });
    const paragraph = make("p", { id: `dialog-text-${++count}`, textContent: text });
    const dialog = openDialog(title, paragraph, make("div", { className: "dialog-actions" }, ...buttons));
    dialog.setAttribute("role", "alertdialog");
    dialog.setAttribute("aria-describedby", paragraph.id);
    dialog.addEventListener("close", () => resolve(chosen));
    const first = actions.findIndex(({ kind }) => kind === "primary");
    buttons[Math.max(first, 0)]?.focus();
  });
}
