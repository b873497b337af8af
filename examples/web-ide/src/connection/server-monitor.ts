import { controlServer, getServer, type ServerAction, type ServerStatus } from "../page/api.ts";
import { byId } from "../page/dom.ts";
import { attempt } from "../page/notice.ts";

/** "unreachable": the page's own server, with its gateway, does not answer. */
export type ServerHealth = "running" | "frozen" | "down" | "unreachable";

const POLL_MS = 2_000;

/** The buttons for the demo's exec-server, and what is known about it: another tab can change it as well. */
export class ServerMonitor {
  readonly #onChange: () => void;
  readonly #kill = byId<HTMLButtonElement>("kill");
  readonly #start = byId<HTMLButtonElement>("start");
  readonly #freeze = byId<HTMLButtonElement>("freeze");
  #health: ServerHealth = "running";
  /** The number of requests so far. An older response never replaces a newer one. */
  #requests = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#on(this.#kill, "Could not kill the server", () => "kill");
    this.#on(this.#start, "Could not start the server", () => "start");
    this.#on(this.#freeze, "Could not freeze the server", () =>
      this.#health === "frozen" ? "thaw" : "freeze",
    );
    void this.#poll();
  }

  get health(): ServerHealth {
    return this.#health;
  }

  #on(button: HTMLButtonElement, what: string, action: () => ServerAction): void {
    button.addEventListener("click", () =>
      attempt(what, async () => {
        await this.#ask(controlServer(action()));
        // A disabled button would lose the focus.
        if (button.disabled) (button === this.#start ? this.#kill : this.#start).focus();
      }),
    );
  }

  async #poll(): Promise<void> {
    for (;;) {
      if (!document.hidden) await this.#ask(getServer()).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #ask(response: Promise<ServerStatus>): Promise<void> {
    const request = ++this.#requests;
    try {
      const { running, frozen } = await response;
      if (request === this.#requests) this.#show(running ? (frozen ? "frozen" : "running") : "down");
    } catch (error) {
      if (request === this.#requests) this.#show("unreachable");
      throw error;
    }
  }

  #show(health: ServerHealth): void {
    this.#kill.disabled = health === "down" || health === "unreachable";
    this.#start.disabled = health !== "down";
    this.#start.classList.toggle("primary", health === "down");
    this.#freeze.disabled = this.#kill.disabled;
    this.#freeze.classList.toggle("primary", health === "frozen");
    byId("freeze-text").textContent = health === "frozen" ? "Thaw" : "Freeze";
    if (health === this.#health) return;
    this.#health = health;
    this.#onChange();
  }
}
