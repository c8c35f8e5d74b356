import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/helpers/seed.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of a test is waiting for the command that it runs, and some commands wait too: one worker more than cores.
    maxWorkers: availableParallelism() + 1,
    // Files share the modules of their worker: loading them anew for each file takes a third of the time of unit tests.
    isolate: false,
  },
});
