import type { TransferProgress } from "exec-server-sdk";
import { byId } from "../page/dom.ts";
import { formatBytes } from "./units.ts";

/** Passed on to what reads or writes. */
export interface Transfer {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: TransferProgress) => void;
}

interface Running {
  readonly what: string;
  readonly stop: AbortController;
  progress: TransferProgress | undefined;
}

/** The reads and saves in flight. Shows the newest one as a bar, which Escape cancels. */
export class Transfers {
  readonly #bar = byId<HTMLProgressElement>("transfer-bar");
  readonly #running: Running[] = [];

  constructor() {
    byId("transfer-cancel").addEventListener("click", () => this.#cancel());
    addEventListener("keydown", (event) => {
      // A dialog or the search panel closes first.
      if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
      if (this.#cancel()) event.preventDefault();
    });
  }

  /** Runs a transfer, and shows it until it settles. */
  async run<Result>(what: string, work: (transfer: Transfer) => Promise<Result>): Promise<Result> {
    const running: Running = { what, stop: new AbortController(), progress: undefined };
    const onProgress = (progress: TransferProgress): void => {
      running.progress = progress;
      this.#show();
    };
    this.#running.push(running);
    this.#show();
    try {
      return await work({ signal: running.stop.signal, onProgress });
    } finally {
      this.#running.splice(this.#running.indexOf(running), 1);
      this.#show();
    }
  }

  #cancel(): boolean {
    const newest = this.#running.at(-1);
    newest?.stop.abort(new Error("it was cancelled"));
    return newest !== undefined;
  }

  #show(): void {
    const newest = this.#running.at(-1);
    byId("transfer").hidden = !newest;
    if (!newest) return;
    const { bytes = 0, total } = newest.progress ?? {};
    if (total) this.#bar.value = bytes / total;
    else this.#bar.removeAttribute("value");
    const size = [formatBytes(bytes), total && formatBytes(total)].filter(Boolean).join(" of ");
    byId("transfer-text").textContent = bytes > 0 ? `${newest.what} · ${size}` : `${newest.what}…`;
  }
}
