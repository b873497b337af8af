import { vi } from "vitest";

/** An event target that counts its listeners. */
class CountingTarget extends EventTarget {
  readonly #listeners = new Set<unknown>();

  get listeners(): number {
    return this.#listeners.size;
  }

  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.#listeners.add(args[1]);
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    this.#listeners.delete(args[1]);
    super.removeEventListener(...args);
  }
}

/** Makes the globals those of a page, until `vi.unstubAllGlobals()`. */
export function stubPage({ prerendering = false } = {}) {
  const window = new CountingTarget();
  const document = Object.assign(new CountingTarget(), { prerendering, visibilityState: "visible" });
  vi.stubGlobal("document", document);
  vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
  vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
  return {
    window,
    document,
    /** The user leaves the page. */
    leave(persisted: boolean): void {
      window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted }));
    },
    /** The user visits the prerendered page. */
    visit(): void {
      document.prerendering = false;
      document.dispatchEvent(new Event("prerenderingchange"));
    },
  };
}
