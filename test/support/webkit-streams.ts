import { vi } from "vitest";

const METHODS = [Symbol.asyncIterator, "values"];

/** Limits the streams to those of WebKit: no byte streams, and nothing that iterates. Returns a function that ends this. */
export function webkitStreams(): () => void {
  const Original = ReadableStream;
  const prototype = Original.prototype as unknown as Record<PropertyKey, unknown>;
  const hidden = METHODS.map(
    (name) => Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor,
  );
  const Limited: typeof Original = new Proxy(Original, {
    construct(target, [source, strategy]: [UnderlyingSource, QueuingStrategy?], newTarget): object {
      if (source?.type === "bytes") throw new TypeError("ReadableByteStreamController is not implemented");
      return Reflect.construct(target, [source, strategy], newTarget === Limited ? target : newTarget);
    },
  });
  vi.stubGlobal("ReadableStream", Limited);
  for (const name of METHODS) delete prototype[name];
  return () => {
    vi.unstubAllGlobals();
    for (const [at, name] of METHODS.entries()) {
      Object.defineProperty(prototype, name, hidden[at] as PropertyDescriptor);
    }
  };
}
