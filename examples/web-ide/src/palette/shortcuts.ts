/**
 * Keys that work everywhere in the page. They come before the terminal, so that its shell does not see them, except those in
 * `outside`, which programs in it need.
 */
export function onShortcuts(
  shortcuts: Readonly<Record<string, () => void>>,
  outside: readonly string[] = [],
): void {
  addEventListener(
    "keydown",
    (event) => {
      // A question is answered first.
      if (event.altKey || document.querySelector("dialog[open]:not(.palette)")) return;
      const control = event.ctrlKey || event.metaKey ? "Control+" : "";
      const shift = event.shiftKey ? "Shift+" : "";
      const keys = control + shift + event.key.toLowerCase();
      const action = shortcuts[keys];
      if (!action || (outside.includes(keys) && (event.target as Element).closest(".xterm"))) return;
      event.preventDefault();
      event.stopPropagation();
      action();
    },
    { capture: true },
  );
}
