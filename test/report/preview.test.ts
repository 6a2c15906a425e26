import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeFile } from "../../src/data/decode-file.ts";
import { encodePng } from "../../src/data/encode.ts";
import { imageFolder } from "../../src/data/image-folder.ts";
import { namedPreprocessing } from "../../src/models/preprocessing.ts";
import { previewPage, previewRows, previewSheet } from "../../src/report/preview.ts";
import type { Image } from "../../src/transforms/image.ts";
import { normalize } from "../../src/transforms/preprocess.ts";
import type { Augmentation } from "../../src/transforms/transform.ts";
import { temporaryFolder } from "../data/made.ts";

const preprocessing = namedPreprocessing("imagenet", { layout: "NCHW", height: 16, width: 16 });
const augmentation: Augmentation = {
  version: 1,
  transforms: [
    { name: "horizontal-flip", probability: 1 },
    { name: "brightness", range: [0.5, 0.9] },
  ],
};

/** A gradient that differs in every column, so that a mirrored picture is another one. */
function gradient(seed: number): Image {
  const data = Uint8Array.from({ length: 3 * 20 * 18 }, (_, i) => ((i % 60) * 4 + seed * 7 + Math.floor(i / 60)) % 256);
  return { width: 20, height: 18, data };
}

async function folder(names: readonly string[], perClass = 4): Promise<string> {
  const root = await temporaryFolder();
  for (const [c, name] of names.entries()) {
    await mkdir(join(root, name), { recursive: true });
    for (let i = 0; i < perClass; i++)
      await writeFile(join(root, name, `${i}.png`), await encodePng(gradient(10 * c + i)));
  }
  return root;
}

test("the clean image is what prediction sees, and the views are those of training with the same seed", async () => {
  const data = await imageFolder(await folder(["a", "b"]));
  const { classes, transforms, failed } = await previewRows(data, {
    preprocessing,
    augmentation,
    views: 3,
    perClass: 1,
  });
  expect(failed).toEqual([]);
  expect(classes.map(({ title }) => title)).toEqual(["a", "b"]);
  expect(transforms.map(({ title }) => title.split(" ")[0])).toEqual(["horizontal-flip", "brightness"]);
  for (const { path, views } of classes) {
    expect(views).toHaveLength(4);
    const sample = data.samples.find((each) => each.path === path)!;
    const numbers = [0, 1, 2, 3];
    const trained = await decodeFile(sample.file, preprocessing, { views: { augmentation, seed: 0, numbers } });
    const shown = views.flatMap((image) => [...normalize(image, preprocessing)]);
    expect(shown).toEqual([...(trained as Float32Array)]);
    expect(views[1]).not.toEqual(views[0]);
  }
  const again = await previewRows(data, { preprocessing, augmentation, views: 3, perClass: 1 });
  expect(again.classes).toEqual(classes);
  const other = await previewRows(data, { preprocessing, augmentation, views: 3, perClass: 1, seed: 1 });
  expect(other.classes).not.toEqual(classes);
});

test("without transforms only clean images are shown", async () => {
  const data = await imageFolder(await folder(["a", "b"]));
  const { classes, transforms } = await previewRows(data, {
    preprocessing,
    augmentation: { version: 1, transforms: [] },
  });
  expect(classes.map(({ views }) => views.length)).toEqual([1, 1, 1, 1]);
  expect(transforms).toEqual([]);
});

test("the sheet has a row of views for each image, and hostile names are text in the page", async () => {
  const data = await imageFolder(await folder(["<script>alert(1)<", "b"].map((name) => name.replaceAll("/", "_"))));
  const options = { preprocessing, augmentation, views: 2, perClass: 2, reasons: ["Because <b>."] };
  const preview = await previewRows(data, options);
  const sheet = previewSheet(preview);
  expect([sheet.width, sheet.height]).toEqual([4 + 5 * 20, 4 + 6 * 20]); // 4 images, 2 transforms with 4 views each
  const text = await previewPage(data, preview, options);
  expect(text).not.toContain("<script");
  expect(text).not.toContain("<b>.");
  expect(text).toContain("&#60;script&#62;alert(1)&#60;");
  expect(text.match(/data:image\/jpeg/g)).toHaveLength(4 * 3 + 2 * 5);
});

test("a dataset whose shown images cannot be read is refused by name", async () => {
  const root = await folder(["a", "b"], 3);
  const data = await imageFolder(root);
  for (const { file } of data.samples) await writeFile(file, "text");
  await expect(previewRows(data, { preprocessing, augmentation })).rejects.toThrow(
    /requires an image that can be read/,
  );
});
