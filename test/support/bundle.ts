import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export interface Bundle {
  readonly code: string;
  /** Every file that is in it. */
  readonly files: readonly string[];
  /** What a page loads, in bytes. */
  readonly minified: number;
  readonly gzipped: number;
}

/** Bundles a module for the browser as its users do: minified, without what it does not use. */
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
