import { expect, test } from "vitest";
import { mapBounded } from "../../src/data/bounded.ts";

test("keeps the order and never exceeds the limit", async () => {
  let running = 0;
  let most = 0;
  const results = await mapBounded([5, 1, 4, 2, 3, 0], 2, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, item));
    running--;
    return item * 10;
  });
  expect(results).toEqual([50, 10, 40, 20, 30, 0]);
  expect(most).toBe(2);
});

test("passes the first error on", async () => {
  await expect(mapBounded([1, 2], 1, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await mapBounded([], 4, () => Promise.resolve(1))).toEqual([]);
});
