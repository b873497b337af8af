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
