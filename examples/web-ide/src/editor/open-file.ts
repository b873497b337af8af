import type { EditorState, Extension, StateEffect } from "@codemirror/state";
import { remotePath } from "exec-server-sdk";
import { makeState } from "./code-editor.ts";
import type { Version } from "./file-store.ts";
import { isSameText, textOf } from "./line-ends.ts";
import type { Shown } from "./text-format.ts";

/** What was read of a file. */
export interface Contents {
  readonly shown: Shown;
  /** Of before the read: a change during it shows up as a later one. */
  readonly version: Version;
  readonly language: Extension;
}

export interface Banner {
  readonly text: string;
  readonly kind: "info" | "warning";
  readonly actions?: readonly { readonly label: string; readonly run: () => void }[];
}

/** A file in the editor: its text, and what is known of it on the server. */
export class OpenFile {
  path: string;
  state: EditorState;
  /** The text as last read from or written to the server. */
  saved: EditorState;
  /** Of the saved text. Undefined if there is no such file on the server. */
  version: Version | undefined;
  /** What a save that failed may have written. */
  attempted: Uint8Array | undefined;
  banner: Banner | undefined;
  isSaving = false;
  /** Where the view was scrolled when another tab was selected. */
  scroll: StateEffect<unknown> | undefined;
  shown: Shown;
  /** The name of the file in which a save is collected, the same for each try. */
  readonly draft = `.web-ide-${crypto.randomUUID()}.tmp`;

  constructor(path: string, { shown, version, language }: Contents) {
    this.path = path;
    this.shown = shown;
    this.version = version;
    this.state = this.saved = stateOf(shown, language);
  }

  get name(): string {
    return remotePath.basename(this.path);
  }

  get isReadOnly(): boolean {
    return this.shown.note !== undefined;
  }

  get isChanged(): boolean {
    return !this.isReadOnly && (!this.version || !isSameText(this.state, this.saved));
  }

  /** The bytes of a state as they are on the server. */
  bytesOf(state: EditorState): Uint8Array {
    return new TextEncoder().encode(this.shown.prefix + textOf(state));
  }

  /** There is no such file on the server any more: what is shown is the only copy, until it is saved. */
  markMissing(): void {
    this.version = undefined;
    const hint = this.isReadOnly ? "" : " Saving makes it again.";
    this.banner = { kind: "warning", text: `This file was deleted on the server.${hint}` };
  }

  /** Another writer has changed the file since it was read, and the text here has changes of its own. */
  markChanged(reload: () => void): void {
    this.banner = {
      kind: "warning",
      text: "This file was changed on the server since you opened it.",
      actions: [{ label: "Reload and lose my changes", run: reload }],
    };
  }

  /** Takes over what was read again. The undo history begins anew. */
  reload({ shown, version, language }: Contents): void {
    const { main } = this.state.selection;
    this.shown = shown;
    this.version = version;
    this.attempted = undefined;
    this.banner = undefined;
    const read = stateOf(shown, language);
    const at = (position: number): number => Math.min(position, read.doc.length);
    this.state = this.saved = read.update({
      selection: { anchor: at(main.anchor), head: at(main.head) },
    }).state;
  }
}

const stateOf = ({ text, note, encoding }: Shown, language: Extension): EditorState =>
  // The columns of a dump stay below each other.
  makeState({ text, language, isReadOnly: note !== undefined, wraps: encoding !== "Binary" });
