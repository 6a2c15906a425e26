import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { decodeFile, decodeHere, decodeLarge } from "../../src/data/decode-file.ts";
import { newProgress, PROGRESS, stop, TOO_LARGE } from "../../src/data/decode-task.ts";
import { rng } from "../../src/random.ts";
import { augmentImage } from "../../src/transforms/augment.ts";
import { normalize } from "../../src/transforms/preprocess.ts";
import type { Preprocessing } from "../../src/transforms/preprocessing.ts";
import type { Augmentation } from "../../src/transforms/transform.ts";
import { picture } from "../transforms/picture.ts";
import { png, temporaryFolder } from "./made.ts";

const preprocessing: Preprocessing = {
  version: 1,
  inputSize: [1, 1],
  resize: { kind: "stretch" },
  interpolation: "box",
  channels: "RGB",
  layout: "NCHW",
  scale: 1,
  offset: 0,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

test("decodeFile returns pixels or words, and never throws", async () => {
  const file = join(await temporaryFolder(), "5.png");
  await writeFile(file, await png(5));
  expect(await decodeFile(file, preprocessing)).toEqual(Float32Array.of(5, 0, 185));
  expect(await decodeFile(`${file}x`, preprocessing)).toBe("does not exist");
  expect(await decodeFile("\0", preprocessing)).toBe("is not a possible path (it has a zero character)");
  const impossible: Preprocessing = { ...preprocessing, inputSize: [-1, 1] };
  expect(await decodeFile(file, impossible)).toMatch(/^cannot be loaded \(/);
});

test("decodeHere tells its progress, and does nothing when stopped", async () => {
  const progress = newProgress(5);
  const task = { files: ["a", "b"], first: 2, preprocessing, progress };
  expect(await decodeHere(task)).toEqual(["does not exist", "does not exist"]);
  expect([...progress]).toEqual([0, 0, 0, PROGRESS.done, PROGRESS.done, 0]);
  stop(progress);
  expect(await decodeHere(task)).toEqual(["was left out", "was left out"]);
});

test("decodeFile refuses a file of another content than expected", async () => {
  const file = join(await temporaryFolder(), "5.png");
  const sha256 = createHash("sha256")
    .update(await png(5))
    .digest("hex");
  await writeFile(file, await png(5));
  expect(await decodeFile(file, preprocessing, { sha256 })).toEqual(Float32Array.of(5, 0, 185));
  await writeFile(file, await png(6));
  expect(await decodeFile(file, preprocessing, { sha256 })).toBe("changed while it was read; run again");
});

test("decodeHere leaves a large picture to decodeLarge", async () => {
  const file = join(await temporaryFolder(), "large.png");
  await writeFile(file, await png(5, 6000, 5600));
  const task = { files: [file], sha256: ["other"], first: 0, preprocessing, progress: newProgress(1) };
  expect(await decodeHere(task)).toEqual(["changed while it was read; run again"]);
  expect(await decodeHere({ ...task, sha256: undefined })).toEqual([TOO_LARGE]);
  expect(await decodeLarge({ ...task, sha256: undefined }, 0)).toEqual(Float32Array.of(5, 0, 185));
  expect(await decodeLarge(task, 0)).toBe("changed while it was read; run again");
});

test("decodeFile makes views one after the other: 0 is the clean image, the others depend on seed, view and content", async () => {
  const folder = await temporaryFolder();
  const image = picture(40, 30);
  const content = await sharp(image.data, { raw: { width: 40, height: 30, channels: 3 } })
    .png()
    .toBuffer();
  const files = ["a.png", "b.png"].map((name) => join(folder, name));
  await Promise.all(files.map((file) => writeFile(file, content)));
  const sized: Preprocessing = { ...preprocessing, inputSize: [8, 10], interpolation: "bilinear" };
  const augmentation: Augmentation = {
    version: 1,
    transforms: [{ name: "random-resized-crop" }, { name: "rotate", degrees: [-20, 20] }],
  };
  const views = (...numbers: number[]) => ({ views: { augmentation, seed: 7, numbers } });
  const made = (await decodeFile(files[0]!, sized, views(0, 1, 2))) as Float32Array;
  expect(made).toHaveLength(3 * 240);
  expect(made.subarray(0, 240)).toEqual(await decodeFile(files[0]!, sized));
  const sha256 = createHash("sha256").update(content).digest("hex");
  for (const view of [1, 2]) {
    const own = augmentImage(image, sized, augmentation, rng(7).fork(`view ${view}`).fork(sha256));
    expect(made.subarray(view * 240, (view + 1) * 240)).toEqual(normalize(own, sized));
  }
  expect(made.subarray(480)).not.toEqual(made.subarray(240, 480));
  expect(await decodeFile(files[1]!, sized, views(2))).toEqual(made.slice(480)); // the name does not matter
  const other = { views: { augmentation, seed: 8, numbers: [2] } };
  expect(await decodeFile(files[1]!, sized, other)).not.toEqual(made.slice(480));
});
