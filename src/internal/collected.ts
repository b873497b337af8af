let registry: FinalizationRegistry<() => void> | undefined;

/**
 * Calls back some time after an object was collected as garbage, where the runtime reports it. The callback must not hold
 * the object. Returns a function that cancels the registration, for an object that needs no cleanup any more.
 */
export function whenCollected(object: object, callback: () => void): () => void {
  if (typeof FinalizationRegistry === "undefined") return () => {};
  registry ??= new FinalizationRegistry((release) => release());
  const token = {};
  registry.register(object, callback, token);
  return () => void registry?.unregister(token);
}

/** A reference that does not keep an object alive, where the runtime has such references. */
export function weakly<T extends object>(object: T): { deref(): T | undefined } {
  return typeof WeakRef === "undefined" ? { deref: () => object } : new WeakRef(object);
}
