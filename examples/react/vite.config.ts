import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The gateway admits this origin only, so the port must not change.
export default defineConfig({ plugins: [react()], server: { strictPort: true } });
