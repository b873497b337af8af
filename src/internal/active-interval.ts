import { MAX_TIMER_MS } from "./timer.ts";

interface ActiveInterval {
  /** Milliseconds. */
  readonly sliceMs: number;
  /** Another slice has passed in which this program ran and its page was visible. */
  readonly onSlice: () => void;
  /** The program has run again after a pause, its page is shown again, or the network is back. */
  readonly onWake: () => void;
}

/**
 * Counts time in slices, and only the time in which silence means something: when a machine slept, a tab was frozen or a
 * program was busy, its timers fire late, and what came meanwhile is still to be read.
 *
 * Keeps no process alive. Returns what ends it.
 */
export function watchActiveTime({ sliceMs, onSlice, onWake }: ActiveInterval): () => void {
  // Each is missing somewhere: Node has neither, a worker has no document.
  const page = globalThis as Partial<
    Pick<typeof globalThis, "document" | "addEventListener" | "removeEventListener">
  >;
  const isHidden = (): boolean => page.document?.visibilityState === "hidden";
  let last = Date.now();
  const timer: unknown = setInterval(
    () => {
      const elapsed = Date.now() - last;
      last += elapsed;
      // Also when the clock was set: one slice lost is better than a wrong judgement.
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
