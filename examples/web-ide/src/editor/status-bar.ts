import { byId, make } from "../page/dom.ts";
import { languageOf } from "./languages.ts";
import { lineEndsOf } from "./line-ends.ts";
import type { OpenFile } from "./open-file.ts";

/** Shows the position, the line ends, the encoding and the language of a file. */
export function showStatus(file: OpenFile | undefined): void {
  byId("status-facts").hidden = !file;
  if (!file) return;
  const { doc, selection } = file.state;
  const line = doc.lineAt(selection.main.head);
  byId("status-position").textContent = `Ln ${line.number}, Col ${selection.main.head - line.from + 1}`;
  byId("status-lines").textContent = file.shown.encoding === "Binary" ? "" : lineEndsOf(file.state);
  byId("status-encoding").textContent = file.shown.encoding;
  byId("status-language").textContent = file.isReadOnly ? "Read-only" : languageOf(file.path).name;
}

/** Shows the banner of a file, or why it is read-only. The focus of a button that goes is taken by the next, or by the text. */
export function showBanner(file: OpenFile | undefined): void {
  const note = file?.shown.note;
  const banner = file?.banner ?? (note === undefined ? undefined : { kind: "info" as const, text: note });
  const host = byId("banner");
  const text = byId("banner-text");
  const hadFocus = host.contains(document.activeElement);
  host.hidden = !banner;
  if (banner) host.dataset["kind"] = banner.kind;
  // A repeated text would be announced again.
  if (banner && text.textContent !== banner.text) text.textContent = banner.text;
  const buttons = (banner?.actions ?? []).map(({ label, run }) => {
    const button = make("button", { type: "button", textContent: label });
    button.addEventListener("click", run);
    return button;
  });
  byId("banner-actions").replaceChildren(...buttons);
  if (hadFocus) (buttons[0] ?? byId("editor").querySelector<HTMLElement>(".cm-content"))?.focus();
}
