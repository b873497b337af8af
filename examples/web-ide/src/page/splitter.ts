import { byId } from "./dom.ts";

const STEP = 24;

interface SplitterOptions {
  readonly id: string;
  /** The CSS variable with the size of the pane. The style sheet limits it, also when the window gets smaller. */
  readonly property: string;
  /** The pane whose size changes. The other side gets the rest. */
  readonly pane: HTMLElement;
  /** The smallest size of the pane, in CSS pixels. */
  readonly smallest: number;
  /** What remains for the other side, in CSS pixels. */
  readonly rest: number;
}

/** Sets up the bar beside a pane, which is moved by dragging or with the arrow keys. A double click resets it. */
export function setUpSplitter({ id, property, pane, smallest, rest }: SplitterOptions): void {
  const splitter = byId(id);
  const container = splitter.parentElement as HTMLElement;
  const isVertical = splitter.getAttribute("aria-orientation") === "vertical";
  const isAfter = Boolean(splitter.compareDocumentPosition(pane) & Node.DOCUMENT_POSITION_FOLLOWING);
  const length = (): number => (isVertical ? container.clientWidth : container.clientHeight);
  const size = (): number => (isVertical ? pane.offsetWidth : pane.offsetHeight);
  const largest = (): number => Math.max(smallest, length() - rest);

  const setSize = (wanted: number): void => {
    const fitting = Math.max(smallest, Math.min(largest(), wanted));
    container.style.setProperty(property, `${Math.round(fitting)}px`);
  };
  const report = (): void => {
    if (length() > 0) splitter.ariaValueNow = String(Math.round((100 * size()) / length()));
  };

  const position = ({ clientX, clientY }: PointerEvent): number =>
    (isVertical ? clientX : clientY) * (isAfter ? -1 : 1);
  /** What is added to the position of the pointer. */
  let offset = 0;
  splitter.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    splitter.focus();
    splitter.setPointerCapture(event.pointerId);
    offset = size() - position(event);
  });
  splitter.addEventListener("pointermove", (event) => {
    if (splitter.hasPointerCapture(event.pointerId)) setSize(position(event) + offset);
  });
  splitter.addEventListener("dblclick", () => container.style.removeProperty(property));
  splitter.addEventListener("keydown", (event) => {
    const [less, more] = isVertical ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    const sign = isAfter ? -1 : 1;
    if (event.key === less) setSize(size() - sign * STEP);
    else if (event.key === more) setSize(size() + sign * STEP);
    else if (event.key === "Home") setSize(smallest);
    else if (event.key === "End") setSize(largest());
    else return;
    event.preventDefault();
  });
  new ResizeObserver(report).observe(pane);
}
