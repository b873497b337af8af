/** Returns the element with this id. Throws if the page has none. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** Creates an element. Strings become text nodes, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Creates an icon from the sprite of the page. */
export function icon(name: string): SVGElement {
  return draw(
    "svg",
    { "aria-hidden": "true", class: `icon icon-${name}` },
    draw("use", { href: `#icon-${name}` }),
  );
}

/** Creates an element of SVG. */
export function draw<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: SVGElement[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** The views of a phone, which shows one at a time. */
export const VIEWS = ["files", "editor", "preview", "terminal", "connection"] as const;

/** Shows a view on a phone. Larger windows show all of them. */
export function showView(view: (typeof VIEWS)[number]): void {
  document.body.dataset["view"] = view;
  for (const button of document.querySelectorAll<HTMLElement>("[data-show]")) {
    if (button.dataset["show"] === view) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}
