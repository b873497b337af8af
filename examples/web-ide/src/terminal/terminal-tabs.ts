import type { ExecEnvironment } from "exec-server-sdk";
import { ask } from "../page/dialog.ts";
import { byId, showView } from "../page/dom.ts";
import { makeTab, setUpTabList, type Tab } from "../page/tab-list.ts";
import type { ProcessTracker } from "../processes/tracker.ts";
import { runningProgram } from "./running-program.ts";
import { Terminal } from "./terminal.ts";

interface TerminalTab extends Tab {
  readonly terminal: Terminal;
}

/** The terminals as tabs. */
export class TerminalTabs {
  readonly #options: {
    readonly environment: ExecEnvironment;
    readonly tracker: ProcessTracker;
    readonly cwd: string;
  };
  readonly #list = byId("terminal-tabs");
  #tabs: TerminalTab[] = [];
  readonly #closing = new Set<TerminalTab>();
  #current: TerminalTab | undefined;
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
    terminal.element.id = `terminal-panel-${this.#opened}`;
    const tab: TerminalTab = {
      terminal,
      ...makeTab({
        controls: terminal.element.id,
        onSelect: () => this.#select(tab),
        onClose: () => void this.#close(tab),
      }),
    };
    tab.label.id = `terminal-tab-${this.#opened}`;
    terminal.element.setAttribute("aria-labelledby", tab.label.id);
    this.#tabs.push(tab);
    this.#list.append(tab.element);
    byId("terminal").append(terminal.element);
    this.#select(tab);
    void terminal.open();
  }

  /** Asks before it ends a program. Further calls for the same tab do nothing meanwhile. */
  async #close(tab: TerminalTab): Promise<void> {
    if (this.#closing.has(tab)) return;
    this.#closing.add(tab);
    await this.#askAndClose(tab);
    this.#closing.delete(tab);
  }

  async #askAndClose(tab: TerminalTab): Promise<void> {
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

  #select(tab: TerminalTab | undefined): void {
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
