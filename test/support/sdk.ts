import { join } from "node:path";
import { pathToFileURL } from "node:url";

export type Sdk = typeof import("../../src/index.ts");
export type NodeSdk = typeof import("../../src/node.ts");

/** The directory with the unmodified sources of the SDK. */
export const SOURCES = join(import.meta.dirname, "../../src");

/** Imports the root entry of the sources, or of a modified copy of them. */
export async function loadSdk(directory: string = SOURCES): Promise<Sdk> {
  return (await importFrom(directory, "index.ts")) as Sdk;
}

/** Imports the Node.js entry of the sources, or of a modified copy of them. */
export async function loadNodeSdk(directory: string = SOURCES): Promise<NodeSdk> {
  return (await importFrom(directory, "node.ts")) as NodeSdk;
}

function importFrom(directory: string, file: string): Promise<unknown> {
  return import(pathToFileURL(join(directory, file)).href);
}
