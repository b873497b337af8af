import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { build, defineConfig } from "tsup";

const CLI = "gateway-cli";

const library = {
  entry: {
    index: "src/index.ts",
    node: "src/node.ts",
    gateway: "src/gateway.ts",
    testing: "src/testing.ts",
    "testing-node": "src/testing-node.ts",
  },
  format: ["esm", "cjs"] satisfies ("esm" | "cjs")[],
};

/** The declarations, for users with any `lib` and whichever copy of a class they have. */
async function buildTypes(): Promise<void> {
  // In a source file the reference would not survive the bundling.
  const banner = '/// <reference lib="esnext.disposable" />';
  await build({ ...library, config: false, dts: { only: true, banner } });
  for (const name of await readdir("dist")) {
    if (!/\.d\.c?ts$/.test(name)) continue;
    const text = await readFile(`dist/${name}`, "utf8");
    // It would make a class of the ESM and of the CJS declarations two types that don't mix.
    await writeFile(`dist/${name}`, text.replaceAll(/^ *#private;\n/gm, ""));
  }
}

export default defineConfig([
  {
    ...library,
    // Nobody loads it. But what two entries share is a file of its own, which a bundler leaves out if nothing of it is
    // used: classes with a dispose symbol in one file with the errors would come along with each of these.
    entry: { ...library.entry, client: "src/client/lazy-client.ts" },
    target: "es2022",
    platform: "neutral",
    external: [/^node:/],
    removeNodeProtocol: false,
    // Entries share chunks, so a class exists once per format; tree-shaking makes Rollup write the CJS chunks, whose class semantics are exact.
    splitting: true,
    treeshake: true,
    sourcemap: true,
    // The command is built at the same time.
    clean: [`!${CLI}.*`],
    async onSuccess() {
      await copyFile("src/node-only.js", "dist/node-only.js");
      await buildTypes();
    },
  },
  {
    entry: { [CLI]: "src/gateway/cli.ts" },
    format: ["esm"],
    target: "es2022",
    platform: "node",
    removeNodeProtocol: false,
    splitting: false,
    sourcemap: true,
  },
]);
