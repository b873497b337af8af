/** Something that must hold did not. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** Waits for what has to settle, at most so long; longer is a Violation. */
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
