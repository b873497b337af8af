import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export interface Size {
  /** Size in bytes. */
  readonly minified: number;
  /** Size in bytes, compressed. */
  readonly gzipped: number;
}

export interface Bundle extends Size {
  readonly code: string;
  /** Every source file in the bundle. */
  readonly files: readonly string[];
}

/** Bundles a module for the browser: minified and without unused exports. */
export async function bundle(source: string, directory: string): Promise<Bundle> {
  const options = {
    stdin: { contents: source, resolveDir: directory },
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    write: false,
    logLevel: "silent",
  } as const;
  const [readable, minified] = await Promise.all([
    build({ ...options, metafile: true }),
    build({ ...options, minify: true }),
  ]);
  return {
    code: readable.outputFiles[0]?.text ?? "",
    files: Object.values(readable.metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs)),
    ...sizeOf(minified.outputFiles[0]?.contents ?? new Uint8Array()),
  };
}

export function sizeOf(minified: Uint8Array): Size {
  return { minified: minified.length, gzipped: gzipSync(minified, { level: 9 }).length };
}
