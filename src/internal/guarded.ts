/**
 * Calls a callback of the user's, which may be async. An error it throws, or a rejection of its promise, is ignored: it
 * must not break the operation that reports to it. Returns its result, or undefined if it threw.
 */
export function guarded<Args extends unknown[], Result>(
  callback: (...args: Args) => Result,
  ...args: Args
): Result | undefined {
  try {
    const result = callback(...args);
    if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
      void Promise.resolve(result).catch(() => {});
    }
    return result;
  } catch {
    return undefined;
  }
}
