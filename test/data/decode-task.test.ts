import { expect, test } from "vitest";
import { isStopped, newProgress, stop } from "../../src/data/decode-task.ts";

test("progress is shared memory with a place to stop and a place for each file", () => {
  const progress = newProgress(3);
  expect(progress.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect([...progress]).toEqual([0, 0, 0, 0]);
  expect(isStopped(progress)).toBe(false);
  stop(progress);
  expect(isStopped(progress)).toBe(true);
  expect([...progress]).toEqual([1, 0, 0, 0]);
});
