import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/helpers/seed.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of a test is waiting for the command that it runs: one worker a core, where the default leaves one idle.
    maxWorkers: "100%",
  },
});
