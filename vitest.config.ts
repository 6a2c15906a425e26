import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/build-once.ts"],
    pool: "forks", // ONNX Runtime is a native addon: processes, not threads.
    maxWorkers: 2, // most tests wait for a disk or use one core; more would crowd each other's kills and clocks
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
