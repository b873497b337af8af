import type { ITheme } from "@xterm/xterm";

const dark = matchMedia("(prefers-color-scheme: dark)");

export function whenThemeChanges(listener: () => void, signal: AbortSignal): void {
  dark.addEventListener("change", listener, { signal });
}

/** The colours of the style sheet, as values: the terminal has no access to CSS variables. */
export function terminalTheme(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    background: colour("terminal"),
    foreground: colour("text"),
    cursor: colour("accent"),
    cursorAccent: colour("terminal"),
    selectionBackground: colour("selection"),
    ...(dark.matches ? DARK : LIGHT),
  };
}

const LIGHT: ITheme = {
  black: "#24292f",
  red: "#c4303a",
  green: "#1a7f37",
  yellow: "#8a6100",
  blue: "#3543c8",
  magenta: "#8a3fb0",
  cyan: "#0b7285",
  white: "#6b7280",
  brightBlack: "#57606a",
  brightRed: "#a31d28",
  brightGreen: "#116329",
  brightYellow: "#6f4e00",
  brightBlue: "#2a36a8",
  brightMagenta: "#6f2d91",
  brightCyan: "#085a69",
  brightWhite: "#8b93a1",
};

const DARK: ITheme = {
  black: "#3b4252",
  red: "#ff7b83",
  green: "#7ee0a1",
  yellow: "#f0cc73",
  blue: "#93a4ff",
  magenta: "#d6a3ff",
  cyan: "#7bdcec",
  white: "#d6dae6",
  brightBlack: "#7c8499",
  brightRed: "#ffa1a7",
  brightGreen: "#a3f0bf",
  brightYellow: "#ffe09a",
  brightBlue: "#b6c2ff",
  brightMagenta: "#e6c6ff",
  brightCyan: "#a8ecf6",
  brightWhite: "#ffffff",
};
