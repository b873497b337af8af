import { byId, make, showView } from "../page/dom.ts";
import { attempt } from "../page/notice.ts";
import { closePreview, openPreview, type Preview } from "./previews.ts";

/** What its page may do. It may not lead the whole tab elsewhere. */
const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups";

/** The page of a server on the exec-server's machine, beside the editor. It stays open while that server restarts. */
export class PreviewPane {
  readonly #pane = byId("preview");
  readonly #address = byId<HTMLInputElement>("preview-address");
  readonly #host = byId("preview-host");
  #preview: Preview | undefined;

  constructor() {
    for (const id of ["open-port", "show-preview"]) byId(id).addEventListener("click", () => this.show());
    byId("preview-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go();
    });
    byId("preview-reload").addEventListener("click", () => this.#go());
    byId("preview-close").addEventListener("click", () => this.#close());
    byId("preview-tab").addEventListener("click", () =>
      attempt("Could not open the preview", async () => {
        const target = this.#target();
        const { url } = await openPreview(target.port);
        open(url, "_blank", "noopener");
      }),
    );
    this.#address.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#address.value = this.#preview ? String(this.#preview.port) : "";
    });
  }

  /** Shows the pane, with the focus in its address. */
  show(): void {
    this.#pane.hidden = false;
    byId("preview-splitter").hidden = false;
    showView("preview");
    this.#address.focus();
    this.#address.select();
  }

  #go(): void {
    attempt("Could not open the preview", async () => {
      const { port, path } = this.#target();
      const preview = await openPreview(port);
      if (this.#preview && this.#preview.id !== preview.id) void closePreview(this.#preview).catch(() => {});
      this.#preview = preview;
      this.#load(preview, path);
    });
  }

  #load({ url, origin, port }: Preview, path: string): void {
    const frame = make("iframe", { title: `Preview of port ${port}` });
    frame.setAttribute("sandbox", SANDBOX);
    frame.src = url;
    // The first page gives the frame its access.
    if (path !== "/")
      frame.addEventListener("load", () => frame.setAttribute("src", origin + path), { once: true });
    this.#show(frame);
  }

  /** Shows a frame, or that there is none. */
  #show(...frames: HTMLIFrameElement[]): void {
    const isEmpty = frames.length === 0;
    this.#host.replaceChildren(...frames);
    byId("no-preview").hidden = !isEmpty;
    for (const id of ["preview-reload", "preview-tab"]) byId<HTMLButtonElement>(id).disabled = isEmpty;
  }

  #close(): void {
    if (this.#preview) void closePreview(this.#preview).catch(() => {});
    this.#preview = undefined;
    this.#show();
    this.#pane.hidden = true;
    byId("preview-splitter").hidden = true;
    showView("terminal");
    byId("open-port").focus();
  }

  #target(): { readonly port: number; readonly path: string } {
    const parts = /^(?:https?:\/\/)?(?:(?:localhost|127\.0\.0\.1):)?(\d+)(\/.*)?$/.exec(
      this.#address.value.trim(),
    );
    if (!parts) throw new Error("write a port, or a port and a path, such as 5173/about");
    return { port: Number(parts[1]), path: parts[2] ?? "/" };
  }
}
