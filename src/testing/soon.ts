/** Runs an action behind the pending microtasks. The fake timers of Jest replace `queueMicrotask`. */
export function soon(action: () => void): void {
  void Promise.resolve().then(action);
}
