import type { ExecEnvironment } from "exec-server-sdk";
import { ask } from "../page/dialog.ts";
import { byId, icon, make, showView } from "../page/dom.ts";
import { setUpTabList } from "../page/tab-list.ts";
import type { ProcessTracker } from "../processes/tracker.ts";
import { runningProgram } from "./running-program.ts";
import { Terminal } from "./terminal.ts";

interface Tab {
  readonly terminal: Terminal;
  readonly element: HTMLElement;
  readonly label: HTMLButtonElement;
  readonly close: HTMLButtonElement;
}

/** The terminals as tabs. */
export class TerminalTabs {
  readonly #options: {
    readonly environment: ExecEnvironment;
    readonly tracker: ProcessTracker;
    readonly cwd: string;
  };
  readonly #list = byId("terminal-tabs");
  #tabs: Tab[] = [];
  readonly #closing = new Set<Tab>();
  #current: Tab | undefined;
  #opened = 0;

  constructor(options: { environment: ExecEnvironment; tracker: ProcessTracker; cwd: string }) {
    this.#options = options;
    byId("new-terminal").addEventListener("click", () => {
      this.open();
      this.#current?.terminal.focus();
    });
    byId("replace-terminal").addEventListener("click", () => {
      void this.#current?.terminal.open();
      this.#current?.terminal.focus();
    });
    setUpTabList(this.#list, (label) => {
      const tab = this.#tabs.find((each) => each.label === label);
      if (tab) void this.#close(tab);
    });
  }

  /** Opens a terminal in a new tab. */
  open(): void {
    showView("terminal");
    const terminal = new Terminal(`Terminal ${++this.#opened}`, {
      ...this.#options,
      onChange: () => this.#show(),
    });
    const tab = makeTab(terminal, this.#opened);
    tab.label.addEventListener("click", () => this.#select(tab));
    tab.close.addEventListener("click", () => void this.#close(tab));
    tab.element.addEventListener("auxclick", ({ button }) => {
      if (button === 1) void this.#close(tab);
    });
    this.#tabs.push(tab);
    this.#list.append(tab.element);
    byId("terminal").append(terminal.element);
    this.#select(tab);
    void terminal.open();
  }

  /** Asks before it ends a program. Further calls for the same tab do nothing meanwhile. */
  async #close(tab: Tab): Promise<void> {
    if (this.#closing.has(tab)) return;
    this.#closing.add(tab);
    await this.#askAndClose(tab);
    this.#closing.delete(tab);
  }

  async #askAndClose(tab: Tab): Promise<void> {
    const { shell, title } = tab.terminal;
    const program = shell && (await runningProgram(this.#options.environment, shell.process.pid));
    const answer =
      program &&
      (await ask({
        title: `Close “${title}”?`,
        text: `It runs “${program}”, which ends with it.`,
        actions: [
          { label: "Keep it open", value: "keep", kind: "primary" },
          { label: "End and close", value: "close", kind: "danger" },
        ],
      }));
    if (program && answer !== "close") return;
    const index = this.#tabs.indexOf(tab);
    const hadFocus =
      tab.element.contains(document.activeElement) || tab.terminal.element.contains(document.activeElement);
    this.#tabs.splice(index, 1);
    tab.element.remove();
    tab.terminal.close();
    if (this.#current === tab) this.#select(this.#tabs[Math.min(index, this.#tabs.length - 1)]);
    if (hadFocus || program) (this.#current?.label ?? byId("new-terminal")).focus();
  }

  #select(tab: Tab | undefined): void {
    this.#current = tab;
    this.#show();
    tab?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #show(): void {
    for (const { terminal, element, label, close } of this.#tabs) {
      const isCurrent = terminal === this.#current?.terminal;
      terminal.element.hidden = !isCurrent;
      element.toggleAttribute("data-current", isCurrent);
      element.toggleAttribute("data-ended", Boolean(terminal.end));
      label.textContent = terminal.title;
      label.title = terminal.title;
      label.ariaSelected = String(isCurrent);
      label.tabIndex = isCurrent ? 0 : -1;
      close.title = `Close ${terminal.title}`;
    }
    const end = this.#current?.terminal.end;
    byId("terminal-ended").hidden = !end;
    byId("terminal-ended").classList.toggle("lost", Boolean(end?.isLost));
    byId("terminal-ended-text").textContent = end?.text ?? "";
    byId("no-terminal").hidden = this.#tabs.length > 0;
  }
}

/** The button that closes is for pointers; the Delete key of the tab does the same. */
function makeTab(terminal: Terminal, number: number): Tab {
  const label = make("button", { type: "button", className: "tab-name", id: `terminal-tab-${number}` });
  label.role = "tab";
  label.setAttribute("aria-controls", `terminal-panel-${number}`);
  label.setAttribute("aria-keyshortcuts", "Delete");
  const close = make("button", { type: "button", className: "tab-close", tabIndex: -1 }, icon("close"));
  close.ariaHidden = "true";
  const element = make("div", { className: "tab" }, label, close);
  element.role = "presentation";
  terminal.element.id = `terminal-panel-${number}`;
  terminal.element.setAttribute("aria-labelledby", label.id);
  return { terminal, element, label, close };
}
