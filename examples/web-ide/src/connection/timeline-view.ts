import { byId, make } from "../page/dom.ts";
import type { Convergence } from "./callers.ts";
import { Fan } from "./fan.ts";
import type { Attempt, History, Loss, SessionSpan } from "./history.ts";
import { separateLabels } from "./labels.ts";
import { attemptMark, belongsTo, callersMark, lossMark, sessionMark } from "./marks.ts";

const TICK_MS = 1_000;
/** Milliseconds that the axis shows. One of less than NARROW CSS pixels shows less. */
const WINDOW_MS = 60_000;
const NARROW_WINDOW_MS = 30_000;
const NARROW = 560;
const COLOURS = 6;
/** How far a mark without an end reaches from now. */
const OPEN_MS = 3_600_000;
/** Milliseconds between two marks of the axis. */
const AXIS_STEP_MS = 15_000;
const NARROW_AXIS_STEP_MS = 10_000;
/** Labels above the axis, and below it. */
const LABEL_ROWS = [":is(.attempt, .callers) > .label", ".loss > .label"];
/** A narrower span does not show its session. */
const NARROWEST_WITH_ID = 72;

/** The last seconds of the connection on an axis, whose right end is now. All marks move together once a second. */
export class TimelineView {
  readonly #host = byId("timeline");
  readonly #marks = byId("timeline-marks");
  readonly #origin = Date.now();
  readonly #colours = new Map<string, number>();
  readonly #fans = new Map<Convergence, Fan>();
  #history: History = { attempts: [], sessions: [], losses: [] };

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#host);
    document.addEventListener("visibilitychange", () => this.#draw());
    setInterval(() => {
      if (!document.hidden) this.#move();
    }, TICK_MS);
  }

  show(history: History): void {
    this.#history = history;
    this.#draw();
  }

  showConvergence(convergence: Convergence): void {
    const fan = this.#fans.get(convergence) ?? new Fan();
    this.#fans.set(convergence, fan);
    this.#draw();
    fan.update(convergence);
  }

  get #windowMs(): number {
    return this.#host.clientWidth < NARROW ? NARROW_WINDOW_MS : WINDOW_MS;
  }

  /** CSS pixels from the origin of the marks. */
  #x(at: number): number {
    return ((at - this.#origin) * this.#host.clientWidth) / this.#windowMs;
  }

  #draw(): void {
    const oldest = Date.now() - 2 * this.#windowMs;
    for (const convergence of this.#fans.keys()) {
      if (convergence.at < oldest) this.#fans.delete(convergence);
    }
    const { attempts, sessions, losses } = this.#history;
    this.#marks.replaceChildren(
      ...sessions.filter(({ to = Infinity }) => to > oldest).map((span) => this.#session(span)),
      ...[...this.#fans].map(([convergence, fan]) => this.#callers(convergence, fan)),
      ...attempts.filter(({ to = Infinity }) => to > oldest).map((attempt) => this.#attempt(attempt)),
      ...losses.filter(({ at }) => at > oldest).map((loss) => this.#loss(loss)),
    );
    this.#drawAxis();
    this.#move();
    for (const row of LABEL_ROWS) separateLabels(this.#marks.querySelectorAll(row));
  }

  #session(span: SessionSpan): HTMLElement {
    if (!this.#colours.has(span.id)) this.#colours.set(span.id, this.#colours.size % COLOURS);
    return this.#place(sessionMark(span, this.#colours.get(span.id) ?? 0), span.from, span.to);
  }

  #attempt(attempt: Attempt): HTMLElement {
    const isShared = [...this.#fans.keys()].some(({ at }) => belongsTo(at, attempt));
    return this.#place(attemptMark(attempt, isShared), attempt.from, attempt.to);
  }

  #loss(loss: Loss): HTMLElement {
    return this.#place(lossMark(loss), loss.at, loss.at);
  }

  #callers({ at }: Convergence, { element }: Fan): HTMLElement {
    const isLabelled = this.#history.attempts.some((attempt) => belongsTo(at, attempt));
    return this.#place(callersMark(element, !isLabelled), at, at);
  }

  /** A mark without an end reaches beyond the end of the axis, so that it need not grow. */
  #place(mark: HTMLElement, from: number, to = Date.now() + OPEN_MS): HTMLElement {
    const left = Math.round(this.#x(from));
    mark.style.left = `${left}px`;
    mark.style.width = `${Math.round(this.#x(to)) - left}px`;
    return mark;
  }

  #move(): void {
    const left = this.#x(Date.now()) - this.#host.clientWidth;
    // Text between two pixels is blurred.
    this.#marks.style.transform = `translateX(${-Math.round(left)}px)`;
    for (const span of this.#marks.querySelectorAll<HTMLElement>(".session")) {
      const start = Number.parseFloat(span.style.left);
      const end = Math.min(start + Number.parseFloat(span.style.width), left + this.#host.clientWidth);
      const label = span.firstElementChild as HTMLElement;
      // The id of a span whose beginning has left the axis stays in sight.
      label.style.translate = `${Math.max(0, Math.round(left) - start)}px`;
      label.hidden = end - Math.max(start, left) < NARROWEST_WITH_ID;
    }
  }

  #drawAxis(): void {
    const windowMs = this.#windowMs;
    const step = windowMs === WINDOW_MS ? AXIS_STEP_MS : NARROW_AXIS_STEP_MS;
    const marks = windowMs / step;
    const labels = Array.from({ length: marks }, (_, n) => `${((marks - n) * step) / 1_000} s`);
    byId("timeline-axis").replaceChildren(
      ...[...labels, "now"].map((textContent) => make("span", { textContent })),
    );
  }
}
