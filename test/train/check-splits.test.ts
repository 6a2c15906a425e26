import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { bySplit } from "../../src/data/sample.ts";
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
    labels: Int32Array.from(name === "train" ? train : name === "validation" ? validation : []),
  });
  const check = (train: number[], validation: number[]) => () =>
    checkSplits(["a", "b"], splits(train, validation), [{ file: "x.jpg", error: "is damaged" }]);
  expect(check([0, 1], [1])).not.toThrow();
  expect(check([0], [1])).toThrow(refusal(/got none of b\. .*Not usable: x\.jpg is damaged\./));
  expect(check([0, 1], [])).toThrow(refusal(/validation requires/));
});
