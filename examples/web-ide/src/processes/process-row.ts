import { draw, icon, make } from "../page/dom.ts";
import { attempt } from "../page/notice.ts";
import { bytes, duration, sparkline } from "./throughput.ts";
import type { TrackedProcess } from "./tracked-process.ts";

const WIDTH = 72;
const HEIGHT = 18;

/** One process: its name, numbers, speed and buttons. */
export class ProcessRow {
  readonly element = make("li", { className: "process" });
  readonly #tracked: TrackedProcess;
  readonly #name = make("button", { type: "button", className: "process-name" });
  readonly #facts = make("span", { className: "process-facts" });
  readonly #speed = make("span", { className: "process-speed" });
  readonly #line = draw("polyline");
  readonly #buttons: readonly HTMLButtonElement[];

  constructor(tracked: TrackedProcess, onSelect: () => void) {
    this.#tracked = tracked;
    const { process } = tracked;
    this.#buttons = [
      this.#button("interrupt", "Interrupt", () => process.interrupt()),
      this.#button("close", "Terminate", () => process.terminate()),
    ];
    this.#name.addEventListener("click", onSelect);
    this.element.append(
      make("span", { className: "dot" }),
      make("div", { className: "process-text" }, this.#name, this.#facts),
      make(
        "div",
        { className: "process-rate" },
        draw(
          "svg",
          { class: "sparkline", viewBox: `0 -1 ${WIDTH} ${HEIGHT + 2}`, "aria-hidden": "true" },
          this.#line,
        ),
        this.#speed,
      ),
      make("div", { className: "process-actions" }, ...this.#buttons),
    );
  }

  update(): void {
    const { title, state, process, exitCode, ageMs, throughput } = this.#tracked;
    const isRunning = state === "running";
    this.element.dataset["state"] = isRunning ? "running" : exitCode === 0 ? "done" : "failed";
    this.#name.textContent = title;
    this.#name.title = title;
    const outcome = state === "lost" ? "lost" : `exit ${exitCode}`;
    this.#facts.textContent = [
      ...(isRunning ? [] : [outcome]),
      ...(process.pid === undefined ? [] : [`pid ${process.pid}`]),
      duration(ageMs),
    ].join(" · ");
    this.#speed.textContent = isRunning
      ? `${bytes(throughput.rates.at(-1) ?? 0)}/s`
      : bytes(throughput.total);
    this.#line.setAttribute("points", sparkline(throughput.rates, WIDTH, HEIGHT));
    if (!isRunning && this.#buttons.includes(document.activeElement as HTMLButtonElement)) this.#name.focus();
    for (const button of this.#buttons) {
      button.hidden = !isRunning;
      button.ariaLabel = `${button.title} ${title}`;
    }
  }

  select(isSelected: boolean): void {
    this.element.toggleAttribute("data-selected", isSelected);
    this.#name.ariaPressed = String(isSelected);
  }

  #button(name: string, title: string, action: () => Promise<unknown>): HTMLButtonElement {
    const button = make("button", { type: "button", className: "quiet", title }, icon(name));
    button.addEventListener("click", () =>
      attempt(`Could not ${title.toLowerCase()} ${this.#tracked.title}`, action),
    );
    return button;
  }
}
