/** Builds the app into a directory. @default `dist` beside this file */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";

const HERE = import.meta.dirname;

export async function buildApp(outdir = join(HERE, "dist")): Promise<void> {
  const bundle = (source: string, file: string, options: BuildOptions): Promise<unknown> =>
    build({
      entryPoints: [join(HERE, source)],
      outfile: join(outdir, file),
      bundle: true,
      target: "es2022",
      sourcemap: true,
      logLevel: "warning",
      ...options,
    });
  await Promise.all([
    // Packages stay in node_modules, because `ws` can not be bundled into an ES module. An app needs one of the formats.
    bundle("main.ts", "main.mjs", { platform: "node", format: "esm", packages: "external" }),
    bundle("main.ts", "main.cjs", {
      platform: "node",
      format: "cjs",
      packages: "external",
      define: { "import.meta.dirname": "__dirname" },
    }),
    bundle("preload.ts", "preload.cjs", { platform: "browser", format: "cjs", external: ["electron"] }),
    // Not a module: a page that is loaded from a file can not import modules.
    bundle("renderer.ts", "renderer.js", { platform: "browser", format: "iife" }),
  ]);
  for (const file of ["index.html", "style.css"]) cpSync(join(HERE, file), join(outdir, file));
}

if (argv[1] === fileURLToPath(import.meta.url)) await buildApp(argv[2]);
