import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/fieldwise/api/static",
    emptyOutDir: true,
    chunkSizeWarningLimit: 1800,
    assetsInlineLimit: 0,
  },
  worker: { format: "es" },
  server: { proxy: { "/api": "http://127.0.0.1:8230", "/login": "http://127.0.0.1:8230" } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
