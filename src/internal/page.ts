import { untilAborted } from "./abort.ts";

/** The members of a page's global object that are used here. Workers have no document, and Node has none of them. */
interface Page {
  readonly document?: Pick<Document, "addEventListener" | "removeEventListener"> & {
    readonly prerendering?: boolean;
  };
  addEventListener?(type: "pagehide", listener: (event: PageTransitionEvent) => void): void;
  removeEventListener?(type: "pagehide", listener: (event: PageTransitionEvent) => void): void;
}

const page = (): Page => globalThis as Page;

/**
 * Calls back each time the user leaves the page, which may return from the back/forward cache if `persisted` is true.
 * Returns a function that removes the listener.
 */
export function onPageHide(listener: (event: { readonly persisted: boolean }) => void): () => void {
  page().addEventListener?.("pagehide", listener);
  return () => page().removeEventListener?.("pagehide", listener);
}

/** Whether the browser prepares this page for a visit that may never happen. Its connections are held back until then. */
export function isPrerendering(): boolean {
  return page().document?.prerendering === true;
}

/** Resolves when the user visits a page that is prerendering. Rejects with the signal's reason. */
export async function pageVisited(signal: AbortSignal | undefined): Promise<void> {
  const { document } = page();
  let onVisit = (): void => {};
  const visited = new Promise<void>((resolve) => {
    onVisit = resolve;
  });
  document?.addEventListener("prerenderingchange", onVisit);
  try {
    await untilAborted(visited, signal);
  } finally {
    document?.removeEventListener("prerenderingchange", onVisit);
  }
}
