import { UsageError } from "../errors/usage.ts";

/** Classes that some runtimes lack, with the module in which Node has each of them, if any. */
const NODE_MODULES = {
  TextEncoder: "util",
  TextDecoder: "util",
  ReadableStream: "stream/web",
  WritableStream: "stream/web",
  Response: undefined,
} as const;

type PlatformClass = keyof typeof NODE_MODULES;

interface Globals extends Partial<Record<PlatformClass, unknown>> {
  readonly process?: {
    getBuiltinModule?(name: string): Partial<Record<PlatformClass, unknown>> | undefined;
  };
}

/**
 * A class of the platform, looked up where it is used, so that importing the SDK requires no global. Jest's jsdom hides
 * some of Node's classes; those are read from Node's modules.
 *
 * @throws UsageError `ERR_UNSUPPORTED` if the runtime does not have the class.
 */
export function platformClass<Name extends PlatformClass>(name: Name): (typeof globalThis)[Name] {
  const globals: Globals = globalThis;
  const module = NODE_MODULES[name];
  const found = globals[name] ?? (module && globals.process?.getBuiltinModule?.(module)?.[name]);
  if (!found) {
    throw new UsageError("ERR_UNSUPPORTED", `This runtime has no ${name}: load a polyfill that defines it`);
  }
  return found as (typeof globalThis)[Name];
}
