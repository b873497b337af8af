import { join } from "node:path";
import { pathToFileURL } from "node:url";

export type Sdk = typeof import("../../src/index.ts");

/** The sources of the SDK as they are. */
export const SOURCES = join(import.meta.dirname, "../../src");

/** The root entry of the sources in a directory: these, or a copy that something was done to. */
export async function loadSdk(directory: string = SOURCES): Promise<Sdk> {
  return (await import(pathToFileURL(join(directory, "index.ts")).href)) as Sdk;
}
