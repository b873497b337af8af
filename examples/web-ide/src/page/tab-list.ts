import { icon, make } from "./dom.ts";

export interface Tab {
  readonly element: HTMLElement;
  readonly label: HTMLButtonElement;
  /** For pointers: the keyboard has the Delete key. */
  readonly close: HTMLButtonElement;
}

/** Makes a tab for the element with this id. As everywhere, the middle button closes it. */
export function makeTab(options: {
  readonly controls: string;
  readonly onSelect: () => void;
  readonly onClose: () => void;
}): Tab {
  const { controls, onSelect, onClose } = options;
  const label = make("button", { type: "button", className: "tab-name" });
  label.role = "tab";
  label.setAttribute("aria-controls", controls);
  label.setAttribute("aria-keyshortcuts", "Delete");
  label.addEventListener("click", onSelect);
  const close = make("button", { type: "button", className: "tab-close", tabIndex: -1 }, icon("close"));
  close.ariaHidden = "true";
  close.addEventListener("click", onClose);
  const element = make("div", { className: "tab" }, label, close);
  element.role = "presentation";
  element.addEventListener("auxclick", ({ button }) => {
    if (button === 1) onClose();
  });
  return { element, label, close };
}

/**
 * Arrow keys, Home and End move among the tabs of a list and select them; Delete closes one. Only the selected tab is in
 * the order of the Tab key: set `tabIndex` 0 on it and -1 on the others. It stays in sight when the list gets narrower.
 */
export function setUpTabList(list: HTMLElement, onClose?: (tab: HTMLElement) => void): void {
  new ResizeObserver(() => {
    const selected = list.querySelector("[role=tab][aria-selected=true]");
    selected?.parentElement?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }).observe(list);
  list.addEventListener("keydown", (event) => {
    const tabs = [...list.querySelectorAll<HTMLElement>("[role=tab]")];
    const tab = tabs.find((each) => each === event.target);
    if (!tab || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Delete") onClose?.(tab);
    const index = nextIndex(event.key, tabs.indexOf(tab), tabs.length);
    if (index === undefined) return;
    event.preventDefault();
    tabs[index]?.click();
    // The click can have replaced the elements.
    list.querySelectorAll<HTMLElement>("[role=tab]")[index]?.focus();
  });
}

function nextIndex(key: string, index: number, count: number): number | undefined {
  switch (key) {
    case "ArrowLeft":
      return (index - 1 + count) % count;
    case "ArrowRight":
      return (index + 1) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
