import { join } from "node:path";
import { pathToFileURL } from "node:url";

export type Sdk = typeof import("../../src/index.ts");
export type NodeSdk = typeof import("../../src/node.ts");

/** The sources of the SDK as they are. */
export const SOURCES = join(import.meta.dirname, "../../src");

/** The root entry of the sources in a directory: these, or a copy that something was done to. */
export async function loadSdk(directory: string = SOURCES): Promise<Sdk> {
  return (await importFrom(directory, "index.ts")) as Sdk;
}

/** The entry for Node of the same. */
export async function loadNodeSdk(directory: string = SOURCES): Promise<NodeSdk> {
  return (await importFrom(directory, "node.ts")) as NodeSdk;
}

function importFrom(directory: string, file: string): Promise<unknown> {
  return import(pathToFileURL(join(directory, file)).href);
}
