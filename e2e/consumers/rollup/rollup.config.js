import { nodeResolve } from "@rollup/plugin-node-resolve";

/** Comments that Rollup can't read, and a circle of imports: both are inside of zod, and harmless. */
const isOfZod = ({ id, ids = [id] }) => ids.every((file) => file?.includes("/node_modules/zod/"));

export default {
  input: "page.js",
  output: { file: "dist/page.js", format: "es" },
  plugins: [nodeResolve({ browser: true })],
  onwarn(warning, warn) {
    if (!isOfZod(warning)) warn(warning);
  },
};
