import { MAX_TIMER_MS } from "./timer.ts";

interface ActiveInterval {
  /** Length of a slice in milliseconds. */
  readonly sliceMs: number;
  /** Called after each slice during which the program ran and its page was visible. */
  readonly onSlice: () => void;
  /** Called when the program runs again after a pause, its page becomes visible, or the network is back. */
  readonly onWake: () => void;
}

/**
 * Measures active time in slices. After the machine slept, the tab was frozen or the event loop was blocked, timers fire
 * late and the frames received meanwhile are still unread, so silence during that time says nothing about the peer.
 *
 * Does not keep a Node process alive. Returns a function that stops the measuring.
 */
export function watchActiveTime({ sliceMs, onSlice, onWake }: ActiveInterval): () => void {
  // Node has neither a document nor these events, a worker has no document.
  const page = globalThis as Partial<
    Pick<typeof globalThis, "document" | "addEventListener" | "removeEventListener">
  >;
  const isHidden = (): boolean => page.document?.visibilityState === "hidden";
  let last = Date.now();
  const timer: unknown = setInterval(
    () => {
      const elapsed = Date.now() - last;
      last += elapsed;
      // The system clock may also have been changed: losing one slice is safer than counting time that did not pass.
      if (elapsed < 0 || elapsed > 2 * sliceMs) onWake();
      else if (!isHidden()) onSlice();
    },
    Math.min(sliceMs, MAX_TIMER_MS),
  );
  (timer as { unref?: () => void }).unref?.();
  const onVisible = (): void => {
    if (!isHidden()) onWake();
  };
  page.document?.addEventListener("visibilitychange", onVisible);
  page.addEventListener?.("online", onWake);
  return () => {
    clearInterval(timer as number);
    page.document?.removeEventListener("visibilitychange", onVisible);
    page.removeEventListener?.("online", onWake);
  };
}
