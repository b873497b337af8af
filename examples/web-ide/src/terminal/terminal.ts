import "@xterm/xterm/css/xterm.css";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Screen } from "@xterm/xterm";
import { type ExecEnvironment, ExecServerError } from "exec-server-sdk";
import { make } from "../page/dom.ts";
import { explain } from "../page/notice.ts";
import { terminalTheme, whenThemeChanges } from "../page/theme.ts";
import type { TrackedProcess } from "../processes/tracked-process.ts";
import type { ProcessTracker } from "../processes/tracker.ts";
import { setUpClipboard } from "./clipboard.ts";

const RED = "\x1b[31m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";
/** Ends what a lost program can have left behind: reports of the mouse, pasted text in brackets, a hidden cursor. */
const LEAVE_MODES = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[!p\x1b[0m";

export interface TerminalOptions {
  readonly environment: ExecEnvironment;
  readonly tracker: ProcessTracker;
  readonly cwd: string;
  /** Called when the title or the end of the terminal changes. */
  readonly onChange: () => void;
}

/** A shell in a terminal on the server. What it has shown stays when it ends, and a new shell goes on below it. */
export class Terminal {
  readonly element = make("div", { className: "screen" });
  readonly #options: TerminalOptions;
  readonly #screen = new Screen({
    fontFamily: getComputedStyle(document.body).getPropertyValue("--mono"),
    fontSize: 13,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    minimumContrastRatio: 4.5,
    theme: terminalTheme(),
  });
  readonly #fit = new FitAddon();
  readonly #closing = new AbortController();
  #shell: TrackedProcess | undefined;
  /** Input for a shell that is starting; undefined when none is starting. */
  #pendingInput: string | undefined;
  /** Resolves the wait for a chunk to be drawn. A closed screen draws nothing. */
  #drawn = (): void => {};
  readonly #name: string;
  #title: string;
  #end: { readonly text: string; readonly isLost: boolean } | undefined;

  constructor(title: string, options: TerminalOptions) {
    this.#name = title;
    this.#title = title;
    this.#options = options;
    this.element.role = "tabpanel";
    this.#screen.loadAddon(this.#fit);
    this.#screen.onData((data) => this.#type(data));
    this.#screen.onResize(() => this.#sendSize());
    this.#screen.onTitleChange((text) => this.#rename(text));
    setUpClipboard(this.#screen);
    const sizes = new ResizeObserver(() => requestAnimationFrame(() => this.#fitToPane()));
    sizes.observe(this.element);
    whenThemeChanges(() => {
      this.#screen.options.theme = terminalTheme();
    }, this.#closing.signal);
    this.#closing.signal.addEventListener("abort", () => {
      sizes.disconnect();
      this.#screen.dispose();
      this.#drawn();
    });
  }

  get title(): string {
    return this.#title;
  }

  /** How the shell has ended, or undefined while there is one. */
  get end(): { readonly text: string; readonly isLost: boolean } | undefined {
    return this.#end;
  }

  get shell(): TrackedProcess | undefined {
    return this.#shell;
  }

  focus(): void {
    this.#screen.focus();
  }

  /** Starts a shell. Call it once the element is in the page. Never rejects: errors are shown in the terminal. */
  async open(): Promise<void> {
    const { environment, tracker, cwd } = this.#options;
    if (this.#screen.element) this.#leaveModes();
    else this.#attach();
    this.#pendingInput = "";
    this.#title = this.#name;
    this.#setEnd(undefined);
    this.#fitToPane();
    try {
      const { shell } = await environment.info();
      const { rows, cols } = this.#screen;
      const started = await tracker.start(this.#title, [shell?.path ?? "/bin/sh"], {
        cwd,
        env: { TERM: "xterm-256color", COLORTERM: "truecolor" },
        tty: { rows, cols },
      });
      if (this.#closing.signal.aborted) return terminate(started);
      this.#shell = started;
      this.#type(this.#pendingInput);
      this.#pendingInput = undefined;
      // The pane can have been resized while the shell was starting.
      if (this.#screen.rows !== rows || this.#screen.cols !== cols) this.#sendSize();
      for await (const chunk of started.chunks()) {
        // Draw each chunk before reading the next. Unread output stays in the SDK, up to `maxBufferedBytes`.
        if (this.#closing.signal.aborted) return;
        await this.#draw(chunk);
      }
      const { exitCode } = await started.process.exited;
      this.#finish(`The shell ended with code ${exitCode}.`, false);
    } catch (error) {
      this.#finish(lossOf(error), true);
    }
  }

  /** Ends the shell and removes the screen. */
  close(): void {
    if (this.#shell) terminate(this.#shell);
    this.#closing.abort();
    this.element.remove();
  }

  #attach(): void {
    this.#screen.open(this.element);
    this.#screen.textarea?.setAttribute("aria-describedby", "terminal-keys");
  }

  #draw(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#drawn = resolve;
      this.#screen.write(chunk, resolve);
    });
  }

  #leaveModes(): void {
    // Without an alternate screen, leaving it would move the cursor.
    if (this.#screen.buffer.active.type === "alternate") this.#screen.write("\x1b[?1049l");
    this.#screen.write(LEAVE_MODES);
  }

  #type(text: string): void {
    if (this.#shell) {
      if (text) void this.#shell.process.write(text).catch(() => {});
    } else if (this.#pendingInput !== undefined) this.#pendingInput += text;
  }

  #rename(title: string): void {
    if (!title) return;
    this.#title = title;
    if (this.#shell) this.#shell.title = title;
    this.#options.onChange();
  }

  #finish(text: string, isLost: boolean): void {
    this.#shell = undefined;
    this.#pendingInput = undefined;
    if (this.#closing.signal.aborted) return;
    this.#screen.write(`\r\n${isLost ? RED : DIM}[${text}]${RESET}\r\n`);
    this.#setEnd({ text, isLost });
  }

  #setEnd(end: Terminal["end"]): void {
    this.#end = end;
    this.#options.onChange();
  }

  #sendSize(): void {
    const { rows, cols } = this.#screen;
    void this.#shell?.process.resize({ rows, cols }).catch(() => {});
  }

  /** The element has no size while another tab is selected, or a phone shows another view. */
  #fitToPane(): void {
    if (this.element.clientHeight > 0 && !this.#closing.signal.aborted) this.#fit.fit();
  }
}

function terminate({ process }: TrackedProcess): void {
  void process.terminate().catch(() => {});
}

function lossOf(error: unknown): string {
  const isLost = error instanceof ExecServerError && error.code === "ERR_DISCONNECTED";
  return isLost ? "Connection lost, and this terminal with it." : `No terminal: ${explain(error)}`;
}
