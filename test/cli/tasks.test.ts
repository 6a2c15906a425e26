/** The commands on tables with several labels or numbers for each image, and what they say of images before training. */
import { cp, mkdtemp, readdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { cli } from "./made.ts";

let root: string;
let model: string;
let images: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rootstock-tasks-"));
  process.env["ROOTSTOCK_CACHE"] = join(root, "cache");
  model = await writeTinyModel(join(root, "tiny.onnx"));
  images = await writeColorImages(join(root, "images"), 15);
});

/** A table beside the pictures; a third of them is for validation. */
async function table(name: string, header: string, cells: Record<"blue" | "green" | "red", string>): Promise<string> {
  const rows = Object.entries(cells).flatMap(([color, cell]) =>
    Array.from({ length: 15 }, (_, i) => `${color}/${i}.png,${i % 3 === 0 ? "val" : "train"},${cell}`),
  );
  const path = join(images, "..", `${name}.csv`);
  await writeFile(path, [`image,split,${header}`, ...rows.map((row) => `images/${row}`)].join("\n"));
  return path;
}

test("several labels for each image: trained, measured and predicted", async () => {
  const path = await table("labels", "labels", { blue: "cool", green: "cool|fresh", red: "" });
  const run = join(root, "several");
  const settings = ["--epochs", "60", "--learning-rate", "0.05", "--out", run, "--task", "multi-label"];
  const { stdout, stderr, code } = await cli(["train", path, "--model", model, ...settings]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("2 classes, any number per image, 30 training")]);
  expect(stdout).toMatch(
    /mean average precision {2}(1\.000|0\.9\d+) {2}\(95 % interval [\d.]+ to 1\.000; 15 validation images\)/,
  );
  const measured = await cli(["evaluate", join(run, "model.onnx"), path, "--task", "multi-label", "--json"]);
  expect(measured.json).toMatchObject({ task: "multi-label", split: "validation", count: 15 });
  expect(measured.json.metrics.exactMatch).toBeGreaterThan(0.9);
  const files = ["green", "red"].map((color) => join(images, color, "1.png"));
  const predicted = await cli(["predict", join(run, "model.onnx"), ...files]);
  expect(predicted.stdout).toMatch(
    /1\.png {2}(cool|fresh) [\d.]+ % {2}(cool|fresh) [\d.]+ %\n.*no class above (50 %|its threshold)/,
  );
});

test("numbers: trained, measured beside the training mean, and predicted", async () => {
  const path = await table("numbers", "red,blue", { blue: "0.4,20000", green: "0.5,6000", red: "2,5000" });
  const run = join(root, "numbers");
  const { stdout, stderr, code } = await cli(["train", path, "--model", model, "--targets", "red,blue", "--out", run]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("2 targets, 30 training and 15 validation images")]);
  expect(stderr).toMatch(/mean absolute error [\d.e+]+ {2}R² [01]\.\d{3}/);
  expect(stdout).toMatch(/R² {8}(0\.9\d\d|1\.000) {2}\(95 % interval .* 15 validation images\)/);
  expect(stdout).toContain("in brackets: what always answering with the training mean gets");
  const measured = await cli(["evaluate", join(run, "model.onnx"), path, "--targets", "red,blue", "--json"]);
  expect(measured.json).toMatchObject({ task: "regression", count: 15, failed: [] });
  expect(measured.json.metrics.r2).toBeGreaterThan(0.9);
  expect(measured.json.metrics.baseline.mae).toBeGreaterThan(2 * measured.json.metrics.mae);
  const predicted = await cli([
    "predict",
    join(run, "model.onnx"),
    join(images, "blue", "1.png"),
    "--json",
    "--top",
    "2",
  ]);
  expect(predicted.stderr).toContain("--top is for models of one class per image");
  const [{ values }] = predicted.json.predictions;
  expect(Math.abs(values.blue - 20_000)).toBeLessThan(4000);
  expect((await cli(["predict", join(run, "model.onnx"), join(images, "blue", "1.png")])).stdout).toMatch(
    /1\.png {2}red [\d.]+ {2}blue \d+\n$/,
  );
  const other = await cli(["evaluate", join(run, "model.onnx"), images]);
  expect([other.code, other.stderr]).toEqual([
    1,
    expect.stringContaining("gives values (regression), but the data are"),
  ]);
});

test("a picture in two splits ends training before it starts, unless that is allowed", async () => {
  const path = await table("leak", "label", { blue: "blue", green: "green", red: "red" });
  const copied = join(images, "copied.png");
  await writeFile(copied, await readFile(join(images, "red", "1.png")));
  await writeFile(path, `${await readFile(path, "utf8")}\nimages/copied.png,val,red\n`);
  const out = join(root, "leaks");
  const refused = await cli(["train", path, "--model", model, "--out", out]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--allow-leaks")]);
  const quick = ["--epochs", "2", "--json", "--out", out];
  const allowed = await cli(["train", path, "--model", model, "--allow-leaks", ...quick]);
  expect([allowed.code, allowed.stderr]).toEqual([0, expect.stringContaining("images/copied.png")]);
  const unchecked = await cli(["train", path, "--model", model, "--no-check", ...quick]);
  expect(unchecked.code).toBe(0);
  expect(unchecked.stderr).not.toContain("more than one split: what");
});

test("views and the augmentation are written down, in the run and in the exported file", async () => {
  const out = join(root, "views");
  const args = ["--augment", "light", "--views", "2", "--epochs", "3", "--out", out, "--json"];
  const { code, stderr } = await cli(["train", images, "--model", model, ...args]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("2 random views of each training image: 72 more runs")]);
  const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
  expect(config).toMatchObject({ views: 2, augmentation: { version: 1, transforms: expect.any(Array) } });
  const inspected = await cli(["inspect", join(out, "model.onnx"), "--json"]);
  expect(JSON.parse(inspected.json.metadata.augmentation)).toEqual(config.augmentation);
});

test("preview draws the classes and the transforms", async () => {
  const out = join(await temporaryFolder(), "sheets");
  const { code, json } = await cli(["preview", images, "--model", model, "--out", out, "--json"]);
  expect([code, json]).toMatchObject([0, { png: join(out, "preview.png"), failed: [] }]);
  expect((await readFile(json.png)).subarray(1, 4).toString()).toBe("PNG");
  expect(await readFile(json.html, "utf8")).toContain("random-resized-crop");
  const wrong = await cli(["preview", images, "--augment", "heavy"]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--augment requires none, light")]);
});

test("preview writes no sheet among the images", async () => {
  const folder = await temporaryFolder();
  await cp(images, join(folder, "photos"), { recursive: true });
  const photos = await realpath(join(folder, "photos"));
  await symlink(photos, join(folder, "link"));
  const before = await readdir(photos, { recursive: true });
  for (const out of [photos, join(photos, "preview"), join(photos, "red", "a", "b"), join(folder, "link", "x")]) {
    const { code, stderr } = await cli(["preview", join(folder, "photos"), "--out", out]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("requires a folder outside of the images")]);
    expect(stderr).toContain(`Use --out ${relative(await realpath("."), join(dirname(photos), "preview"))}.`);
  }
  const aside = await cli(["preview", images, "--val", photos, "--out", join(photos, "x")]);
  expect([aside.code, aside.stderr]).toEqual([2, expect.stringContaining("requires a folder outside")]);
  expect(await readdir(photos, { recursive: true })).toEqual(before);
  const beside = await cli(["preview", photos, "--model", model, "--out", `${photos}-preview`]);
  expect(beside.code).toBe(0);
});

test("a run among the images is no class, and does not make a class of the train folder", async () => {
  const photos = join(await temporaryFolder(), "photos");
  await cp(images, join(photos, "train"), { recursive: true });
  const args = ["train", photos, "--model", model, "--epochs", "1", "--out", join(photos, "runs", "x"), "--json"];
  const [first, second] = [await cli(args), await cli(args)];
  expect([first.code, second.code]).toEqual([0, 0]);
  expect(second.json.classes).toEqual(first.json.classes);
  expect(second.json.run).toBe(join(photos, "runs", "x-2"));
  expect(second.stderr).not.toMatch(/is not an image|taken as a class/);
  expect(second.stderr).toContain("runs/x");
});
