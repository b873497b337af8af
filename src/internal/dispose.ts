/**
 * The key that `await using` looks up. In a runtime without the symbol it is the registered one that compilers fall back
 * to: otherwise a class would get a method called "undefined".
 */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);
