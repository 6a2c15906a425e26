import { expect, test } from "vitest";
import { blockedLayout } from "../../src/runtime/blocked-layout.ts";

test("the blocked layout is found once, or found missing", async () => {
  const block = await blockedLayout();
  expect([8, 16, undefined]).toContain(block);
  expect(await blockedLayout()).toBe(block);
  // The prebuilt runtime for x64 has it: AVX-512 uses blocks of 16, everything older blocks of 8.
  if (process.arch === "x64") expect(block).toBeDefined();
});
