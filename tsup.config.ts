import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { build, defineConfig } from "tsup";

const CLI = "gateway-cli";
const MINIFIED = "exec-server-sdk.min";
const LICENSES = `${MINIFIED}.LEGAL.txt`;
const { version } = JSON.parse(await readFile("package.json", "utf8"));

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

/** Builds declarations that work with any `lib` and in which the ESM and CJS types of a class are compatible. */
async function buildTypes(): Promise<void> {
  // A reference in a source file would be lost in bundling.
  const banner = '/// <reference lib="esnext.disposable" />';
  await build({ ...library, config: false, dts: { only: true, banner } });
  for (const name of await readdir("dist")) {
    if (!/\.d\.c?ts$/.test(name)) continue;
    const text = await readFile(`dist/${name}`, "utf8");
    // `#private` makes a class of the ESM declarations incompatible with the same class of the CJS declarations.
    await writeFile(`dist/${name}`, text.replaceAll(/^ *#private;\n/gm, ""));
  }
}

/** Builds the root entry in one file, for pages without a bundler. Its input is the built modules, which are tree-shaken. */
async function buildMinified(): Promise<void> {
  await build({
    entry: { [MINIFIED]: "dist/index-browser.js" },
    config: false,
    format: "esm",
    target: "es2022",
    platform: "browser",
    noExternal: [/./],
    splitting: false,
    minify: true,
    banner: { js: `/*! exec-server-sdk ${version}, MIT. Contains zod, MIT: ${LICENSES} */` },
  });
  await copyFile("node_modules/zod/LICENSE", `dist/${LICENSES}`);
}

// Without source maps: the sources are not in the package, and the modules keep their names and comments.
export default defineConfig([
  {
    ...library,
    // `index-browser` has the types of `index`. `client` is not a public entry. It makes tsup put the errors and the clients into separate chunks. Bundlers keep a
    // class with a dispose symbol even if it is unused, so an app that imports one error would include the clients.
    entry: {
      ...library.entry,
      "index-browser": "src/index-browser.ts",
      client: "src/client/lazy-client.ts",
    },
    target: "es2022",
    platform: "neutral",
    external: [/^node:/],
    removeNodeProtocol: false,
    // Entries share chunks, so that a class exists once per format. Tree-shaking makes Rollup write the CJS chunks, which
    // keep the exact semantics of classes.
    splitting: true,
    // Without bare imports of other chunks, which have no side effects.
    treeshake: { moduleSideEffects: "no-external" },
    // The command is built concurrently by the second configuration.
    clean: [`!${CLI}.js`],
    async onSuccess() {
      await copyFile("src/node-only.js", "dist/node-only.js");
      await buildMinified();
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
  },
]);
