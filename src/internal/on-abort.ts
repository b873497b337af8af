/** What waits for each signal. One listener for all: with more than ten on one signal, Node warns of a leak. */
const waiting = new WeakMap<AbortSignal, Waiting>();

interface Waiting {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

/** Calls back once when a signal that has not aborted yet does. Returns what takes that back, however often it is called. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks, listener } = waiting.get(signal) ?? listen(signal);
  // An entry of its own for each registration: the same function may be registered twice.
  const entry = (): void => callback();
  callbacks.add(entry);
  return () => {
    callbacks.delete(entry);
    if (callbacks.size > 0) return;
    signal.removeEventListener("abort", listener);
    if (waiting.get(signal)?.callbacks === callbacks) waiting.delete(signal);
  };
}

function listen(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>();
  const listener = (): void => {
    // One may take back another.
    for (const entry of callbacks) if (callbacks.delete(entry)) entry();
  };
  signal.addEventListener("abort", listener, { once: true });
  const all = { callbacks, listener };
  waiting.set(signal, all);
  return all;
}
