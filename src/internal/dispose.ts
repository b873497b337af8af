/**
 * The key of `await using`. Where a runtime lacks the symbol, the registered one that compilers fall back to: a class
 * would otherwise get a method called "undefined".
 */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);
