import { createHash } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { expect, test } from "vitest";
import { imageFolder } from "../../../src/data/image-folder.ts";
import type { Dataset, Sample } from "../../../src/data/sample.ts";
import { loadModel } from "../../../src/models/load-model.ts";
import { rng } from "../../../src/random.ts";
import {
  type CheckFeaturesOptions,
  checkFeatures,
  type FeatureFindings,
} from "../../../src/train/check/check-features.ts";
import { assets, withAssets } from "../../assets.ts";
import { temporaryFolder } from "../../data/made.ts";
import { writeColorImages, writeTinyModel } from "../../models/tiny.ts";

const kinds = ({ findings }: FeatureFindings): string[] => findings.map(({ kind }) => kind);
const named = (result: FeatureFindings, kind: string) => result.findings.find((finding) => finding.kind === kind);

test("what cannot be told is said, and the result is safe for JSON", async () => {
  const root = await temporaryFolder();
  const model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  const data = await imageFolder(await writeColorImages(join(root, "images"), 4));
  const result = await checkFeatures(model, data, { cache: false });
  expect(result.findings).toEqual([]);
  expect(result.images).toBe(12);
  expect(result.untold.join("\n")).toMatch(/neither BatchNormalization[\s\S]*validation images[\s\S]*fewer than 20/);
  expect(JSON.parse(JSON.stringify(result))).toEqual(result);
});

test("pictures of a cluster or a group count as one", async () => {
  const root = await temporaryFolder();
  const model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  const data = await imageFolder(await writeColorImages(join(root, "images"), 10));
  const clusters = [data.samples.map((_, i) => i)];
  const alone = await checkFeatures(model, data, { cache: false });
  expect(alone.measured.map(({ name }) => name)).toContain("agreement of labels and features beyond chance");
  const joined = await checkFeatures(model, data, { cache: false, clusters });
  expect(joined.untold.join()).toContain("fewer than 20 different images");
  const grouped = { ...data, samples: data.samples.map((sample) => ({ ...sample, group: "a" })) };
  expect((await checkFeatures(model, grouped, { cache: false })).untold).toEqual(joined.untold);
});

withAssets("with real networks", () => {
  const BN = "models/mobilenetv2_0.35_224/mobilenetv2_0.35_bn_backbone.onnx";
  const CIFAR = "models/resnet20_cifar10/resnet20_cifar10.onnx";
  const SQUEEZENET = "models/squeezenet1_1/squeezenet1_1.onnx";
  const check = async (path: string, data: Dataset, preprocessing?: string, options: CheckFeaturesOptions = {}) =>
    await checkFeatures(await loadModel(join(assets!, path), { preprocessing }), data, { cache: false, ...options });
  const photographs = async (name: string): Promise<Dataset> => await imageFolder(join(assets!, "datasets", name));
  const every = (data: Dataset, step: number): Dataset => ({
    ...data,
    samples: data.samples.filter((_, i) => i % step === 0),
  });

  test.each(["flowers", "cats-vs-dogs", "hymenoptera"])(
    "photographs of %s are no shift, whatever the network",
    async (name) => {
      const data = await photographs(name);
      for (const [path, step] of [
        [CIFAR, 1],
        [BN, 12],
        [SQUEEZENET, 16],
      ] as const) {
        const result = await check(path, every(data, step));
        expect(kinds(result).filter((kind) => kind !== "label-error")).toEqual([]);
        expect(result.measured.length).toBeGreaterThan(2);
      }
    },
  );

  test("microscope pictures, hand signs, and dark photographs are unlike those of pretraining", async () => {
    const root = await temporaryFolder();
    const folder = async (name: string, from: string, change: (image: Sharp) => Sharp) => {
      const files = (await readdir(join(assets!, from))).filter((file) => /\.jpe?g$/.test(file)).slice(0, 12);
      for (const [i, file] of files.entries()) {
        await mkdir(join(root, name, `class ${i % 2}`), { recursive: true });
        const image = change(sharp(join(assets!, from, file)));
        await image.jpeg().toFile(join(root, name, `class ${i % 2}`, `${i}.jpg`));
      }
      return await imageFolder(join(root, name));
    };
    const cells = await folder("cells", "datasets/bccd/JPEGImages", (image) => image);
    const dark = await folder("dark", "datasets/flowers/train/rose", (image) => image.linear(0.15, 0));
    const same = await folder("same", "datasets/flowers/train/rose", (image) => image);
    for (const path of [CIFAR, BN]) {
      for (const data of path === CIFAR ? [cells, dark, every(await photographs("sign-digits"), 10)] : [cells]) {
        const finding = named(await check(path, data), "pretraining-shift");
        expect(finding?.message).toContain("unlike those");
        expect(finding?.message).not.toContain("--preprocessing");
        expect(finding?.advice).toContain("--batch-norm adapt");
        expect(finding?.files.length).toBeGreaterThan(0);
      }
      expect(named(await check(path, same), "pretraining-shift")).toBeUndefined();
    }
    expect(named(await check(SQUEEZENET, cells), "pretraining-shift")?.message).toContain("kinds of them apart");
    expect(named(await check(SQUEEZENET, same), "pretraining-shift")).toBeUndefined();
  });

  test("a wrong preprocessing is found, and the right one named", async () => {
    const data = every(await photographs("flowers"), 20);
    for (const wrong of ["tf", "unit", "none", "caffe"]) {
      const finding = named(await check(CIFAR, data, wrong), "pretraining-shift");
      expect(finding?.message).toContain("With --preprocessing imagenet");
    }
    for (const wrong of ["imagenet", "unit"]) {
      const finding = named(await check(BN, data, wrong), "pretraining-shift");
      expect(finding?.message).toContain("With --preprocessing tf");
    }
    const scores = named(await check(SQUEEZENET, data, "none"), "pretraining-shift");
    expect(scores?.message).toContain("With --preprocessing imagenet");
  });

  test("validation images from another camera are a shift, an equal part is none", async () => {
    const root = await temporaryFolder();
    const data = await photographs("cats-vs-dogs");
    const blurred: Sample[] = [];
    for (const [i, sample] of data.samples.entries()) {
      if (sample.split !== "validation") continue;
      const file = join(root, `${i}.jpg`);
      const bytes = await sharp(sample.file).modulate({ brightness: 1.4 }).blur(2).jpeg().toBuffer();
      await writeFile(file, bytes);
      blurred.push({ ...sample, file, sha256: createHash("sha256").update(bytes).digest("hex") });
    }
    const train = data.samples.filter(({ split }) => split === "train");
    const shifted = await check(CIFAR, { ...data, samples: [...train, ...blurred] });
    const finding = named(shifted, "distribution-shift")!;
    expect(finding.message).toContain("Images of validation differ");
    expect(finding.measured[0]!.value).toBeGreaterThan(0.7);
    // Three of four cats are left out of validation: other shares, but no other pictures.
    const fewer = data.samples.filter(({ split, target }, i) => split === "train" || target[0] === 1 || i % 4 === 0);
    const mixed = await check(CIFAR, { ...data, samples: fewer });
    expect(kinds(mixed)).toContain("class-mix");
    expect(kinds(mixed)).not.toContain("distribution-shift");
  });

  test("planted label errors are found, and few others", async () => {
    const data = await photographs("cats-vs-dogs");
    const random = rng(11);
    const flipped = data.samples.map((sample) =>
      random.next() < 0.08 ? { ...sample, target: [1 - sample.target[0]!] } : sample,
    );
    const cacheFolder = await temporaryFolder();
    const result = await check(BN, { ...data, samples: flipped }, undefined, { cache: true, cacheFolder });
    const planted = new Set(
      flipped.filter((sample, i) => sample.target[0] !== data.samples[i]!.target[0]).map(({ path }) => path),
    );
    const files = named(result, "label-error")!.files;
    const right = files.filter(({ path }) => planted.has(path)).length;
    expect(right / files.length).toBeGreaterThan(0.85);
    expect(right / planted.size).toBeGreaterThan(0.6);
    const clean = await check(BN, data, undefined, { cache: true, cacheFolder });
    expect(named(clean, "label-error")?.files.length ?? 0).toBeLessThanOrEqual(4);
  });
});
