import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export interface Bundle {
  readonly code: string;
  /** Every source file in the bundle. */
  readonly files: readonly string[];
  /** Size in bytes. */
  readonly minified: number;
  /** Size in bytes, compressed. */
  readonly gzipped: number;
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
  const bytes = minified.outputFiles[0]?.contents ?? new Uint8Array();
  return {
    code: readable.outputFiles[0]?.text ?? "",
    files: Object.values(readable.metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs)),
    minified: bytes.length,
    gzipped: gzipSync(bytes, { level: 9 }).length,
  };
}
