import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/build-once.ts"],
    pool: "forks", // ONNX Runtime is a native addon: processes, not threads.
    testTimeout: 60_000,
  },
});
