import { draw } from "../page/dom.ts";
import { CALLERS, type Convergence } from "./callers.ts";

const WIDTH = 80;
const HEIGHT = 40;
/** The width of the dots that wait. */
const CROWD = 26;
const FLIGHT_MS = 520;
/** The dots start one after the other, within this time. */
const SPREAD_MS = 420;

/** One line and one dot for each caller, which meet in one point. The dots stand at the left while the callers wait. */
export class Fan {
  readonly element: SVGSVGElement;
  readonly #dots: SVGCircleElement[];
  #hasMet = false;

  constructor() {
    const heights = Array.from({ length: CALLERS }, (_, n) => 1 + (n * (HEIGHT - 2)) / (CALLERS - 1));
    const [bend, middle] = [WIDTH * 0.55, HEIGHT / 2];
    const lines = heights.map((y) =>
      draw("path", { d: `M2 ${y}C${bend} ${y} ${bend} ${middle} ${WIDTH} ${middle}` }),
    );
    this.#dots = heights.map((y, n) => draw("circle", { cx: 2 + mixed(n) * CROWD, cy: y, r: 1.2 }));
    this.element = draw(
      "svg",
      { class: "fan", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT },
      ...lines,
      ...this.#dots,
    );
  }

  /** Moves the dots to the point where the callers meet, once. */
  update({ outcome }: Convergence): void {
    if (!outcome || this.#hasMet) return;
    this.#hasMet = true;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#dots.forEach((dot, n) => {
      const [x, y] = [WIDTH - dot.cx.baseVal.value, HEIGHT / 2 - dot.cy.baseVal.value];
      const flight = dot.animate([{}, { transform: `translate(${x}px, ${y}px)` }], {
        duration: isStill ? 0 : FLIGHT_MS,
        delay: isStill ? 0 : mixed(3 * n + 1) * SPREAD_MS,
        easing: "cubic-bezier(0.5, 0, 0.8, 0.6)",
        fill: "forwards",
      });
      flight.finished.then(() => dot.remove()).catch(() => {});
    });
  }
}

/** From 0 to 1 in a mixed order: the step shares no divisor with the number of callers. */
function mixed(n: number): number {
  return ((n * 37) % CALLERS) / CALLERS;
}
