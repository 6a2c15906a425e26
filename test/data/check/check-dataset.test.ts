import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkDataset } from "../../../src/data/check/check-dataset.ts";
import {
  type DatasetReport,
  duplicateClusters,
  type FindingKind,
  leaksOf,
  quarantineOf,
} from "../../../src/data/check/dataset-report.ts";
import { imageFolder } from "../../../src/data/image-folder.ts";
import { rng } from "../../../src/random.ts";
import type { Image } from "../../../src/transforms/image.ts";
import { assets, withAssets } from "../../assets.ts";
import { temporaryFolder } from "../made.ts";
import { drawn, editing, jpeg, writePictures } from "./made-pictures.ts";

type Tree = Parameters<typeof writePictures>[1];

async function checked(tree: Tree): Promise<DatasetReport> {
  const root = await temporaryFolder();
  await writePictures(root, tree);
  return await checkDataset(await imageFolder(root, { purpose: "evaluate" }), { threads: 0 });
}

/** Twelve different pictures in each folder. */
function full(...folders: readonly string[]): Tree {
  return Object.fromEntries(
    folders.flatMap((folder, f) => Array.from({ length: 12 }, (_, i) => [`${folder}/${i}.jpg`, 100 * (f + 1) + i])),
  );
}

/** The outline of a shirt on a light ground, all of one color. */
function silhouette(color: readonly number[], left: number): Image {
  const data = new Uint8Array(3 * 160 * 160).fill(245);
  for (let y = 30; y < 140; y++) {
    const sleeve = y < 70 ? 30 : 0;
    for (let x = left - sleeve; x < left + 60 + sleeve; x++) data.set(color, 3 * (y * 160 + x));
  }
  return { width: 160, height: 160, data };
}

const kinds = ({ findings }: DatasetReport): readonly FindingKind[] => findings.map(({ kind }) => kind);

function paths(report: DatasetReport, kind: FindingKind): readonly string[] {
  return report.findings
    .filter((finding) => finding.kind === kind)
    .flatMap(({ files }) => files.map(({ path }) => path));
}

describe("checkDataset", () => {
  test("finds nothing in good data, and counts it", async () => {
    const report = await checked(full("train/a", "train/b", "val/a", "val/b"));
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      images: 48,
      undecodable: 0,
      splits: { train: 24, validation: 24, test: 0 },
      formats: { jpeg: 48 },
      medianSize: { shorter: 120, longer: 160 },
      clusters: [],
    });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test("finds leaks: equal, mirrored and smaller copies across splits", async () => {
    const report = await checked({
      ...full("train/cat", "train/dog", "val/cat", "val/dog"),
      "val/cat/copy.jpg": 100,
      "val/dog/mirrored.webp": await editing(drawn(201)).flop().webp().toBuffer(),
      "val/cat/small.jpg": await editing(drawn(102)).resize(80, 60).jpeg().toBuffer(),
    });
    const [leak, ...more] = leaksOf(report);
    expect(more).toEqual([]);
    expect(leak!.severity).toBe("error");
    expect(leak!.groups!.map((group) => group.map(({ path }) => path))).toEqual([
      ["train/cat/0.jpg", "val/cat/copy.jpg"],
      ["train/cat/2.jpg", "val/cat/small.jpg"],
      ["train/dog/1.jpg", "val/dog/mirrored.webp"],
    ]);
    expect(leak!.groups![2]!.map(({ detail }) => detail)).toEqual(["dog, train", "dog, validation, mirrored"]);
    // The copies in train are the ones to remove.
    expect(quarantineOf(report).map((path) => path.split("/").slice(-3).join("/"))).toEqual([
      "train/cat/0.jpg",
      "train/cat/2.jpg",
      "train/dog/1.jpg",
    ]);
    expect(report.clusters.map(({ kind }) => kind)).toEqual(["exact", "near", "near"]);
  });

  test("takes silhouettes that differ in color for similar, not for copies", async () => {
    const tree: Record<string, Uint8Array> = {};
    const hues = { red: [200, 40, 40], green: [40, 170, 60], blue: [50, 70, 210] };
    for (let i = 0; i < 90; i++) {
      const name = (["red", "green", "blue"] as const)[i % 3]!;
      const color = hues[name].map((value, c) => value + ((i * 13 + c * 7) % 40));
      tree[`${i % 9 < 6 ? "train" : "val"}/${name}/${i}.jpg`] = await jpeg(silhouette(color, 50 + (i % 7)));
    }
    const report = await checked(tree);
    expect(leaksOf(report)).toEqual([]);
    expect(kinds(report).filter((kind) => kind === "label-conflict" || kind === "leak")).toEqual([]);
    expect(kinds(report)).toContain("similar-across-splits");
    expect(quarantineOf(report)).toEqual([]);
  });

  test("takes the frames of a fixed camera for one scene, but equal files in them for leaks", async () => {
    const tree: Record<string, Uint8Array> = {};
    const scene = drawn("scene", 240, 180);
    for (let i = 0; i < 40; i++) {
      const noise = rng(i);
      const data = scene.data.map((value) => Math.min(255, Math.max(0, value + Math.floor(5 * noise.next()) - 2)));
      const scratched = i % 2 === 1;
      if (scratched)
        for (let x = 0; x < 24; x++) data.fill(250, 3 * ((20 + i) * 240 + 50 + x), 3 * ((20 + i) * 240 + 51 + x));
      tree[`${i % 4 < 2 ? "train" : "val"}/${scratched ? "scratched" : "good"}/${i}.jpg`] = await jpeg({
        ...scene,
        data,
      });
    }
    const report = await checked(tree);
    expect(kinds(report)).toEqual(["similar-across-splits"]);
    expect(quarantineOf(report)).toEqual([]);
    const leaking = await checked({ ...tree, "val/good/copy.jpg": tree["train/good/0.jpg"]! });
    expect(leaksOf(leaking)).toMatchObject([{ groups: [{ length: 2 }] }]);
  });

  test("takes no mirror image for a copy where the classes are sides, nor across classes", async () => {
    const mirrored = await editing(drawn(100)).flop().jpeg().toBuffer();
    const sides = await checked({ ...full("left", "right"), "right/mirrored.jpg": mirrored });
    expect(sides.findings).toEqual([]);
    const across = await checked({ ...full("cat", "dog"), "dog/mirrored.jpg": mirrored });
    expect(kinds(across)).toEqual(["similar"]);
    const within = await checked({ ...full("cat", "dog"), "cat/mirrored.jpg": mirrored });
    expect(kinds(within)).toEqual(["duplicates"]);
    expect(within.findings[0]!.files.map(({ detail }) => detail)).toEqual(["cat", "cat, mirrored"]);
  });

  test("gives clusters that a split keeps on one side", async () => {
    const root = await temporaryFolder();
    await writePictures(root, {
      ...full("a", "b"),
      "a/small.jpg": await editing(drawn(103)).resize(80, 60).jpeg().toBuffer(),
    });
    const dataset = await imageFolder(root, { validation: 0.5 });
    const report = await checkDataset(dataset, { threads: 0 });
    const [cluster] = duplicateClusters(report);
    expect(cluster!.map((i) => dataset.samples[i]!.path)).toEqual(["a/3.jpg", "a/small.jpg"]);
    expect(leaksOf(report)).toEqual([]); // a split that was drawn is drawn anew
  });

  test("finds label conflicts", async () => {
    const report = await checked({ ...full("a", "b"), "b/other.jpg": await jpeg(drawn(100), 60), "b/same.jpg": 105 });
    expect(kinds(report)).toEqual(["label-conflict"]);
    expect(paths(report, "label-conflict")).toEqual(["a/0.jpg", "b/other.jpg", "a/5.jpg", "b/same.jpg"]);
  });

  test("finds groups in two splits", async () => {
    const root = await temporaryFolder();
    await writePictures(root, full("train/a", "train/b", "val/a", "val/b"));
    const dataset = await imageFolder(root, { purpose: "evaluate" });
    const samples = dataset.samples.map((sample, i) => ({
      ...sample,
      group: i < 2 || i > 46 ? "patient 7" : `patient 1${i}`,
    }));
    const report = await checkDataset({ ...dataset, samples }, { threads: 0 });
    expect(leaksOf(report)).toMatchObject([{ kind: "group-leak", groups: [{ length: 3 }] }]);
  });

  test("finds every kind of picture that shows nothing", async () => {
    const plain = (level: number, width = 90, height = 80) => ({
      width,
      height,
      data: new Uint8Array(3 * width * height).fill(level),
    });
    const noisy = (center: number) => {
      const image = plain(center);
      for (let i = 0; i < image.data.length; i++) image.data[i] = center + ((i * 7919) % 23) - 11;
      return image;
    };
    const report = await checked({
      ...full("a", "b", "c", "d", "e"), // few of many
      "a/blank.jpg": await jpeg(plain(128)),
      "a/dark.png": await editing(noisy(14)).png().toBuffer(),
      "b/bright.png": await editing(noisy(238)).png().toBuffer(),
      "b/tiny.png": await editing(drawn(1, 20, 24))
        .png()
        .toBuffer(),
      "c/long.jpg": await jpeg(drawn(2, 310, 100)),
      "c/blurred.jpg": await editing(drawn(3, 256, 192))
        .blur(5)
        .jpeg()
        .toBuffer(),
      "d/placeholder.png": await editing(drawn(4, 90, 80))
        .grayscale()
        .threshold(200)
        .png()
        .toBuffer(),
    });
    const found = Object.fromEntries(report.findings.map(({ kind }) => [kind, paths(report, kind)]));
    expect(found).toEqual({
      blank: ["a/blank.jpg"],
      dark: ["a/dark.png"],
      bright: ["b/bright.png"],
      tiny: ["b/tiny.png"],
      "odd-aspect": ["c/long.jpg"],
      blurred: ["c/blurred.jpg"],
      "few-levels": ["d/placeholder.png"],
    });
  });

  test("takes a look of many pictures for their nature", async () => {
    const tree: Record<string, Uint8Array> = {};
    for (let i = 0; i < 30; i++)
      tree[`${i % 2 ? "a" : "b"}/${i}.png`] = await editing(drawn(i, 28, 28))
        .png()
        .toBuffer();
    expect((await checked(tree)).findings).toMatchObject([{ kind: "tiny", severity: "info", files: { length: 30 } }]);
  });

  test("reports one class, and folders that other programs take for one", async () => {
    const report = await checked({
      ...full("only"),
      ".ipynb_checkpoints/a.jpg": 1,
      "empty/.gitkeep": "",
      "readme.txt": "x",
    });
    expect(kinds(report)).toEqual(["one-class", "empty-class", "hidden", "other-file"]);
    expect(report.findings.find(({ kind }) => kind === "hidden")).toMatchObject({
      severity: "warning",
      files: [{ path: ".ipynb_checkpoints", detail: "a folder with 1 image" }, { path: "empty/.gitkeep" }],
    });
  });

  test("gives the same with threads", async () => {
    const root = await temporaryFolder();
    await writePictures(root, { ...full("a", "b"), "a/x.jpg": "x", "b/y.jpg": 100 });
    const dataset = await imageFolder(root, { purpose: "evaluate" });
    expect(await checkDataset(dataset, { threads: 2 })).toEqual(await checkDataset(dataset, { threads: 0 }));
  });
});

withAssets("real datasets (skipped without ../shared/assets)", () => {
  const messy = join(assets!, "messy/class-folders");

  test("every planted defect of the messy class folders is found, and nothing is touched", async () => {
    const state = (): readonly string[] =>
      readdirSync(messy, { recursive: true, encoding: "utf8" }).map(
        (name) => `${name} ${statSync(join(messy, name)).mtimeMs}`,
      );
    const before = state();
    const report = await checkDataset(await imageFolder(messy, { purpose: "evaluate" }));
    expect(state()).toEqual(before);
    const groups = (kind: FindingKind): readonly string[] =>
      report.findings
        .filter((finding) => finding.kind === kind)
        .flatMap((finding) => finding.groups ?? [])
        .map((group) => group.map(({ path }) => path).join(" = "));
    expect(paths(report, "truncated")).toEqual(["cat/broken_half.jpg"]);
    expect(paths(report, "empty-file")).toEqual(["dog/zero.jpg"]);
    expect(paths(report, "not-an-image")).toEqual(["dog/download.jpg", "dog/notes.jpg"]);
    expect(paths(report, "stray-image")).toEqual(["stray_root_file.jpg"]);
    expect(paths(report, "other-file")).toEqual(["labels_old.csv"]);
    expect(paths(report, "hidden")).toEqual([".DS_Store", "cat/._cat.0.jpg", "dog/Thumbs.db", "empty_class/.gitkeep"]);
    expect(paths(report, "exif-rotation")).toEqual(["cat/phone_rotated.jpg"]);
    expect(paths(report, "converted-colors")).toEqual(["cat/cmyk_scan.jpg", "cat/scan16.png"]);
    expect(paths(report, "decomposed-name")).toHaveLength(1);
    expect(groups("label-conflict")).toEqual([
      "cat/cat.1000.jpg = dog/duplicate_of_a_cat.jpg",
      "cat/cat.1007.jpg = dog/near_duplicate_reencoded.jpg",
    ]);
    // The last are one photograph in six formats, which is how the set was made.
    expect(groups("duplicates")).toEqual([
      "cat/cat.1003.jpg = cat/duplicate_same_class.jpg",
      "cat/cat.1014.jpg = cat/nested/nested_copy.jpg",
      ["cmyk_scan.jpg", "gray.jpg", "old.gif", "phone_rotated.jpg", "scan16.png", "web.webp"]
        .map((name) => `cat/${name}`)
        .join(" = "),
    ]);
    const messages = report.findings.map(({ message }) => message).join("\n");
    expect(messages).toContain('The classes "dog" and "dog (2)" look like one class.');
    expect(messages).toContain("1 class folder without usable images: empty_class.");
    expect(messages).toContain("1 subfolder of class folders: cat/nested (1).");
    // What else is said follows from the two pictures of "dog (2)".
    const rest = kinds(report).filter((kind) => kind === "few-images" || kind === "imbalance");
    expect(rest).toEqual(["few-images", "imbalance"]);
    expect(report.findings).toHaveLength(16);
  });

  test.each([
    // One photograph of the training images is in the validation images without its colors.
    ["flowers", ["leak"]],
    ["cats-vs-dogs", []],
    // One picture of 320 x 93 pixels.
    ["hymenoptera", ["odd-aspect"]],
    // Hands before one wall, hundreds of pairs alike, no two the same.
    ["sign-digits", []],
  ])("%s: %j and no false alarm", async (name, expected) => {
    const dataset = await imageFolder(join(assets!, "datasets", name), { purpose: "evaluate" });
    expect(kinds(await checkDataset(dataset))).toEqual(expected);
  });

  test("tells copies from other photographs of one raccoon", async () => {
    const folder = join(assets!, "datasets/raccoon/images");
    const dataset = await imageFolderOf(folder);
    const report = await checkDataset(dataset);
    const clusters = duplicateClusters(report).map((cluster) => cluster.map((i) => dataset.samples[i]!.path));
    expect(clusters).toEqual([
      ["raccoon-11.jpg", "raccoon-116.jpg"],
      ["raccoon-120.jpg", "raccoon-83.jpg"],
      ["raccoon-21.jpg", "raccoon-45.jpg"],
      ["raccoon-50.jpg", "raccoon-52.jpg", "raccoon-74.jpg"],
      ["raccoon-65.jpg", "raccoon-98.jpg"],
    ]);
  });
});

/** A folder of images as one class. */
async function imageFolderOf(folder: string) {
  const { createHash } = await import("node:crypto");
  const names = readdirSync(folder).sort();
  const samples = names.map((path) => {
    const content = readFileSync(join(folder, path));
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { file: join(folder, path), path, target: [0], split: "train" as const, sha256, bytes: content.length };
  });
  return {
    root: folder,
    task: "single-label" as const,
    classes: ["raccoon"],
    samples,
    skipped: [],
    notes: [],
    splitSource: "column" as const,
  };
}
