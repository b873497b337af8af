import { make } from "../page/dom.ts";

/** CSS pixels between two labels. */
const GAP = 6;

/** A label that ends at its mark. Where it would cover another one, it shows only `short`. */
export function makeLabel(parts: readonly string[], short = ""): HTMLElement {
  const label = make("span", { className: "label" });
  label.dataset["full"] = parts.join(" · ") || short;
  label.dataset["short"] = short;
  return label;
}

/** Sets the texts of the labels of one row. Of two that would overlap even if short, the newer one is shown. */
export function separateLabels(labels: Iterable<HTMLElement>): void {
  const sized = [...labels].map((label) => {
    const full = boxWith(label, "full");
    const { right, width } = boxWith(label, "short");
    return { label, right, width, fullWidth: full.width };
  });
  sized.sort((a, b) => b.right - a.right);
  let free = Infinity;
  const shown = sized.filter(({ label, right, width }) => {
    const isShown = right <= free;
    label.classList.toggle("covered", !isShown);
    if (isShown) free = right - width - GAP;
    return isShown;
  });
  for (const [n, { label, right, fullWidth }] of shown.entries()) {
    const next = shown[n + 1]?.right ?? -Infinity;
    if (right - fullWidth >= next + GAP) boxWith(label, "full");
  }
}

function boxWith(label: HTMLElement, text: "full" | "short"): DOMRect {
  label.textContent = label.dataset[text] ?? "";
  return label.getBoundingClientRect();
}
