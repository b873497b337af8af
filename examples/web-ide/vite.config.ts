import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // Every supported browser has modules, so the polyfill is not needed.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
  },
});
