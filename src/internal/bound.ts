/**
 * Binds the public members of an object to the object itself. A reactive framework hands out a Proxy of what it is
 * given, and private fields can't be read through a Proxy: bound methods and getters work nevertheless.
 *
 * @param base The topmost class whose members are bound.
 */
export function bindMembers(target: object, base: abstract new (...args: never[]) => object): void {
  for (
    let prototype = Object.getPrototypeOf(target) as object | null;
    prototype && prototype !== Object.getPrototypeOf(base.prototype);
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    for (const name of Reflect.ownKeys(prototype)) {
      const { value, get, ...descriptor } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
      if (name === "constructor" || Object.hasOwn(target, name)) continue;
      if (get) Object.defineProperty(target, name, { ...descriptor, get: get.bind(target) });
      else if (typeof value === "function") {
        Object.defineProperty(target, name, { ...descriptor, value: value.bind(target) });
      }
    }
  }
  // Vue leaves such an object alone.
  Object.defineProperty(target, "__v_skip", { value: true });
}
