import { byId } from "./dom.ts";

const STEP = 24;
const SMALLEST = 100;

/** Sets up the bar between editor and terminal, which is moved by dragging or with the arrow keys. */
export function setUpSplitter(): void {
  const splitter = byId("splitter");
  const workbench = byId("workbench");
  const setHeight = (height: number): void => {
    const largest = workbench.clientHeight - SMALLEST;
    const fitting = Math.max(SMALLEST, Math.min(largest, height));
    workbench.style.setProperty("--terminal-height", `${Math.round(fitting)}px`);
  };
  const height = (): number =>
    workbench.getBoundingClientRect().bottom - splitter.getBoundingClientRect().bottom;

  splitter.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    splitter.setPointerCapture(event.pointerId);
  });
  splitter.addEventListener("pointermove", (event) => {
    if (!splitter.hasPointerCapture(event.pointerId)) return;
    setHeight(workbench.getBoundingClientRect().bottom - event.clientY);
  });
  splitter.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowUp") setHeight(height() + STEP);
    if (key === "ArrowDown") setHeight(height() - STEP);
  });
}
