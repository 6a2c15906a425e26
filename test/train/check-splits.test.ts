import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { bySplit } from "../../src/data/sample.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { checkFiles, checkSplits } from "../../src/train/check-splits.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages } from "../models/tiny.ts";

const refusal = (message: RegExp): unknown =>
  expect.objectContaining({ code: "BAD_DATA", message: expect.stringMatching(message) });

test("files that are gone are noticed where a split or a class has no other", async () => {
  const data = await imageFolder(await writeColorImages(join(await temporaryFolder(), "images"), 4));
  await expect(checkFiles(data)).resolves.toBeUndefined();
  const [validation, red] = [
    bySplit(data, "validation"),
    bySplit(data, "train").filter(({ target }) => target[0] === 2),
  ];
  await rm(validation[0]!.file);
  await expect(checkFiles(data)).resolves.toBeUndefined();
  for (const { file } of validation.slice(1)) await rm(file);
  await expect(checkFiles(data)).rejects.toThrow(
    refusal(/^validation requires at least one usable image, got none\..* Not usable: .*png cannot be read/),
  );
  for (const { file } of red) await rm(file);
  await expect(checkFiles(data)).rejects.toThrow(refusal(/a usable image of every class, got none of red/));
});

test("every class needs a training image, and validation needs any", () => {
  const splits = (train: number[], validation: number[]) => (name: string) => ({
    targets: classTargets(name === "train" ? train : name === "validation" ? validation : []),
  });
  const check = (train: number[], validation: number[]) => () =>
    checkSplits({ task: "single-label", classes: ["a", "b"] }, splits(train, validation), [
      { file: "x.jpg", error: "is damaged" },
    ]);
  expect(check([0, 1], [1])).not.toThrow();
  expect(check([0], [1])).toThrow(refusal(/got none of b\. .*Not usable: x\.jpg is damaged\./));
  expect(check([0, 1], [])).toThrow(refusal(/validation requires/));
});

test("independent classes need an image that shows each, and what is always there is noted", () => {
  const check = (train: number[], validation = [0, 0, 0]) =>
    checkSplits(
      { task: "multi-label", classes: ["a", "b", "c"] },
      (name) => ({
        targets: { task: "multi-label", values: Float32Array.from(name === "train" ? train : validation), width: 3 },
      }),
      [],
    );
  expect(check([1, 1, 0, 0, 1, 1])).toEqual([expect.stringMatching(/^every training image shows b: /)]);
  expect(check([1, 0, 0, 0, 1, 1])).toEqual([]);
  expect(check([1, 0, 0, 0, 1, 0])).toEqual([expect.stringMatching(/^no training image shows c: /)]);
  expect(() => check([0, 0, 0, 0, 0, 0])).toThrow(refusal(/a usable image that shows any of the classes, got none/));
  expect(() => check([])).toThrow(refusal(/^training requires at least one usable image/));
  expect(() => check([1, 0, 0, 0, 1, 1], [])).toThrow(refusal(/validation requires/));
});

test("a regression needs any image, and a value that never varies is noted", () => {
  const check = (train: number[], validation = [1, 2]) =>
    checkSplits(
      { task: "regression", classes: ["x", "y"] },
      (name) => ({
        targets: {
          task: "regression",
          values: Float32Array.from(name === "train" ? train : name === "test" ? [] : validation),
          width: 2,
        },
      }),
      [],
    );
  expect(check([1, 5, 2, 5])).toEqual([
    expect.stringMatching(/^every training image has the same value of y.*R² says nothing\.$/),
  ]);
  expect(check([1, 5, 2, 6])).toEqual([]);
  expect(check([1, 5, 2, 6], [1, 5, 1, 6])).toEqual([
    "every validation image has the same value of x: R² says nothing there.",
  ]);
  expect(check([1, 1e7, 2, 1e7 + 1])).toEqual([
    expect.stringMatching(/^the values of y, 10000000 to 10000001, are 1 step of single precision/),
  ]);
  expect(check([1, 1e-30, 2, 2e-30])).toEqual([]);
  expect(() => check([])).toThrow(refusal(/^training requires at least one usable image/));
});

test("values that are one number in single precision are refused before any image is decoded", async () => {
  const folder = await imageFolder(await writeColorImages(join(await temporaryFolder(), "images"), 4));
  const valued = (low: number, step: number) => ({
    ...folder,
    task: "regression" as const,
    classes: ["y"],
    samples: folder.samples.map((sample, i) => ({ ...sample, target: [low + i * step] })),
  });
  await expect(checkFiles(valued(1e6, 0.001))).rejects.toThrow(
    refusal(/^the target y requires values that differ in single precision.* are all 1000000 there\. Subtract/),
  );
  for (const [low, step] of [
    [1e6, 1],
    [1e6, 0],
    [0, 1e-12],
  ] as const)
    await expect(checkFiles(valued(low, step))).resolves.toBeUndefined();
});
