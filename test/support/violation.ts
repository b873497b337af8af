/** A promise of the SDK that was broken. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** Rejects with a Violation if the promise does not settle within `ms` milliseconds. */
export async function within<T>(promise: Promise<T>, ms: number, what: string | (() => string)): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Violation(`${typeof what === "string" ? what : what()} did not settle within ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
