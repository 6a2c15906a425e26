import { expect, test } from "vitest";
import { byTime, CHECKPOINT, SNAPSHOT, snapshotFile } from "../../../src/train/checkpoints/file-names.ts";

test("names of checkpoints are in the order of their numbers, of any length", () => {
  const names = ["1", "0001-000002", "0001-10", "0002-000001", "10-1", "10-1-1", "99999999999999999999-1"].map(
    (name) => `${name}.safetensors`,
  );
  expect(names.toReversed().sort(byTime)).toEqual(names);
  expect(names.filter((name) => !CHECKPOINT.test(name))).toEqual([]);
});

test("names of snapshots begin with their sum, and are none of checkpoints", () => {
  const name = snapshotFile("0123456789abcdef".repeat(4));
  expect(name).toBe("snapshot-0123456789abcdef.safetensors");
  expect([SNAPSHOT.test(name), CHECKPOINT.test(name)]).toEqual([true, false]);
  for (const other of [
    "1.safetensors.old",
    "a-1.safetensors",
    "1-.safetensors",
    "snapshot-1.safetensors",
    "../1.safetensors",
  ])
    expect([SNAPSHOT.test(other), CHECKPOINT.test(other)]).toEqual([false, false]);
});
