import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // Every browser that runs this page knows modules; the polyfill would be one more script.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
  },
});
