import "@xterm/xterm/css/xterm.css";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { type ExecEnvironment, type ExecProcess, ExecServerError } from "exec-server-sdk";
import { byId } from "../page/dom.ts";
import { explain } from "../page/notice.ts";
import { terminalTheme, whenThemeChanges } from "../page/theme.ts";

const RED = "\x1b[31m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";

/** A shell in a terminal on the server. When it ends, the panel shows the reason and a button for a new shell. */
export class TerminalPanel {
  readonly #environment: ExecEnvironment;
  readonly #cwd: string;
  readonly #screen = new Terminal({
    fontFamily: getComputedStyle(document.body).getPropertyValue("--mono"),
    fontSize: 13,
    cursorBlink: true,
    minimumContrastRatio: 4.5,
    theme: terminalTheme(),
  });
  readonly #fit = new FitAddon();
  #process: ExecProcess | undefined;
  /** Input for a shell that is starting; undefined when none is starting. */
  #pendingInput: string | undefined;
  /** The number of shells so far. Late output and errors of earlier shells are ignored. */
  #generation = 0;

  constructor(options: { environment: ExecEnvironment; cwd: string }) {
    this.#environment = options.environment;
    this.#cwd = options.cwd;
    this.#screen.loadAddon(this.#fit);
    this.#screen.open(byId("terminal"));
    this.#screen.onData((data) => this.#type(data));
    this.#screen.onResize(() => this.#sendSize());
    new ResizeObserver(() => this.#fitSoon()).observe(byId("terminal"));
    whenThemeChanges(() => {
      this.#screen.options.theme = terminalTheme();
    });
    for (const id of ["new-terminal", "replace-terminal"]) {
      byId(id).addEventListener("click", () => void this.open());
    }
  }

  /** Replaces the shell by a new one. Never rejects: errors are shown in the terminal. */
  async open(): Promise<void> {
    const generation = ++this.#generation;
    void this.#process?.terminate().catch(() => {});
    this.#process = undefined;
    this.#pendingInput = "";
    byId("terminal-ended").hidden = true;
    this.#fit.fit();
    try {
      const { shell } = await this.#environment.info();
      const { rows, cols } = this.#screen;
      const process = await this.#environment.start([shell?.path ?? "/bin/sh"], {
        cwd: this.#cwd,
        env: { TERM: "xterm-256color", COLORTERM: "truecolor" },
        tty: { rows, cols },
      });
      if (generation !== this.#generation) return void process.terminate().catch(() => {});
      this.#screen.reset();
      this.#process = process;
      if (this.#pendingInput) this.#type(this.#pendingInput);
      this.#pendingInput = undefined;
      byId("terminal-title").textContent = shell?.name ?? "sh";
      this.#screen.focus();
      // The panel can have been resized while the shell was starting.
      if (this.#screen.rows !== rows || this.#screen.cols !== cols) this.#sendSize();
      await this.#show(process);
      const { exitCode } = await process.exited;
      if (generation === this.#generation) this.#end(`The shell ended with code ${exitCode}.`);
    } catch (error) {
      if (generation === this.#generation) this.#end(lossOf(error), RED);
    }
  }

  async #show(process: ExecProcess): Promise<void> {
    for await (const chunk of chunksOf(process)) {
      // Draw each chunk before reading the next. Unread output stays in the SDK, up to `maxBufferedBytes`.
      if (process === this.#process) await new Promise<void>((drawn) => this.#screen.write(chunk, drawn));
    }
  }

  #type(text: string): void {
    if (this.#process) void this.#process.write(text).catch(() => {});
    else if (this.#pendingInput !== undefined) this.#pendingInput += text;
  }

  #end(text: string, colour = DIM): void {
    this.#process = undefined;
    this.#pendingInput = undefined;
    this.#screen.write(`\r\n${colour}[${text}]${RESET}\r\n`);
    byId("terminal-ended-text").textContent = text;
    byId("terminal-ended").classList.toggle("lost", colour === RED);
    byId("terminal-ended").hidden = false;
  }

  #sendSize(): void {
    const { rows, cols } = this.#screen;
    void this.#process?.resize({ rows, cols }).catch(() => {});
  }

  #fitSoon(): void {
    // The panel has no size while a phone shows another pane.
    requestAnimationFrame(() => {
      if (byId("terminal").clientHeight > 0) this.#fit.fit();
    });
  }
}

function lossOf(error: unknown): string {
  const isLost = error instanceof ExecServerError && error.code === "ERR_DISCONNECTED";
  return isLost ? "Connection lost, and this terminal with it." : `No terminal: ${explain(error)}`;
}

async function* chunksOf(process: ExecProcess): AsyncGenerator<Uint8Array> {
  const output = process[Symbol.asyncIterator]();
  for (let next = await output.next(); !next.done; next = await output.next()) yield next.value.chunk;
}
