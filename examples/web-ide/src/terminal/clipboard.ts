import type { Terminal } from "@xterm/xterm";

/** Keys that the page uses: the terminal leaves them alone. F6 moves to the next pane. */
const PAGE_KEYS = ["F6"];

/**
 * Ctrl+Shift+C copies the selection. Ctrl+Shift+V is the browser's own paste, so that it asks for no permission; the same
 * goes for the context menu. On a Mac, both keys are the system's.
 */
export function setUpClipboard(screen: Terminal): void {
  screen.attachCustomKeyEventHandler((event) => {
    if (PAGE_KEYS.includes(event.key)) return false;
    if (!event.ctrlKey || !event.shiftKey || event.altKey) return true;
    if (event.code === "KeyV") return false;
    if (event.code !== "KeyC") return true;
    // Without this, browsers open their inspector.
    event.preventDefault();
    if (event.type === "keydown" && screen.hasSelection()) {
      void navigator.clipboard.writeText(screen.getSelection()).catch(() => {});
    }
    return false;
  });
}
