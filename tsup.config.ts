import { defineConfig } from "tsup";

const CLI = "gateway-cli";

export default defineConfig([
  {
    entry: {
      index: "src/index.ts",
      node: "src/node.ts",
      gateway: "src/gateway.ts",
      testing: "src/testing.ts",
      "testing-node": "src/testing-node.ts",
    },
    format: ["esm", "cjs"],
    target: "es2022",
    platform: "neutral",
    external: [/^node:/],
    removeNodeProtocol: false,
    // Entries share chunks, so a class exists once per format; tree-shaking makes Rollup write the CJS chunks, whose class semantics are exact.
    splitting: true,
    treeshake: true,
    dts: true,
    sourcemap: true,
    // The command is built at the same time.
    clean: [`!${CLI}.*`],
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
