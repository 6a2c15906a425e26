import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { imageFolder } from "../../../src/data/image-folder.ts";
import { bySplit, manifest, type Sample } from "../../../src/data/sample.ts";
import { applySavedSplit, savedSplit } from "../../../src/data/splits/saved-split.ts";
import { classTree, temporaryFolder, writeTree } from "../made.ts";

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const sample = (path: string, content = path, group?: string): Sample => {
  return { file: path, path, target: [0], split: "train", sha256: hash(content), bytes: 1, group };
};
const saved = (entries: Readonly<Record<string, "train" | "validation" | "test">>, classes = ["a"]) => ({
  from: "runs/x",
  classes,
  samples: Object.entries(entries).map(([path, split]) => ({ path, split, sha256: hash(path) })),
});
const options = { classes: ["a"], together: [] };

test("the split of a run is used again after files were renamed, added and removed", async () => {
  const root = await temporaryFolder();
  await writeTree(join(root, "one"), classTree({ a: 20, b: 20 }));
  const first = await imageFolder(join(root, "one"), { seed: 5, test: 0.1 });
  await mkdir(join(root, "run"));
  await writeFile(join(root, "run", "data.json"), JSON.stringify(manifest(first)));
  const tree = Object.entries(classTree({ a: 20, b: 20 })).map(([path, seed]) => [
    path.replace("/", "/renamed "),
    seed,
  ]);
  await writeTree(join(root, "two"), { ...Object.fromEntries(tree.slice(1)), "a/new.png": 777 });
  const second = await imageFolder(join(root, "two"), { splits: join(root, "run"), seed: 99 });
  const splits = new Map(first.samples.map(({ sha256, split }) => [sha256, split]));
  for (const { sha256, split, path } of second.samples)
    expect(split).toBe(path === "a/new.png" ? "train" : splits.get(sha256));
  expect(second.splitSource).toBe("saved");
  expect(second.notes).toEqual([
    `1 image not in the split of ${join(root, "run")}, put into train: a/new.png.`,
    `1 image of the split of ${join(root, "run")} gone or changed: a/0.png.`,
  ]);
  const evaluated = await imageFolder(join(root, "two"), {
    splits: join(root, "run", "data.json"),
    purpose: "evaluate",
  });
  expect(bySplit(evaluated, "test")).toHaveLength(bySplit(first, "test").length);
});

describe("applySavedSplit", () => {
  test("tells copies of one content apart by path", () => {
    const record = saved({ "a/1": "train", "a/2": "validation" });
    const samples = record.samples.map((item) => ({ ...item, sha256: hash("same") }));
    const items = ["a/2", "a/1", "a/3"].map((path) => sample(path, "same"));
    const result = applySavedSplit(items, { ...record, samples }, options);
    expect(result.samples.map(({ split }) => split)).toEqual(["validation", "train", "train"]);
    expect(result.notes).toEqual(["The split of runs/x divides 1 group of images that belong together; it is kept."]);
  });

  test("puts new images where their group or near-duplicate is, or where the data say", () => {
    const items = [
      sample("1", "1", "p"),
      sample("2", "2", "p"),
      sample("3"),
      sample("4"),
      { ...sample("5"), split: "test" } as const,
    ];
    const result = applySavedSplit(items, saved({ "1": "validation", "4": "test" }), {
      ...options,
      together: [[2, 3]],
    });
    expect(result.samples.map(({ split }) => split)).toEqual(["validation", "validation", "test", "test", "test"]);
    expect(result.notes).toEqual(["3 images not in the split of runs/x, put into validation, test: 2, 3, 5."]);
  });

  test("reports other classes, and refuses a record of other images", () => {
    const { notes } = applySavedSplit([sample("1")], saved({ "1": "test" }, ["b", "a"]), options);
    expect(notes).toEqual(["The classes were b, a in runs/x, and are a here."]);
    expect(() => applySavedSplit([sample("x")], saved({ "1": "test" }), options)).toThrow(/knows none of the 1 images/);
  });
});

describe("savedSplit", () => {
  const entry = { path: "a/1", label: 0, split: "train", sha256: hash("1") };

  test("reads records of both versions", async () => {
    const folder = await temporaryFolder();
    const record = { version: 1, classes: ["a"], splitSource: "folders", samples: [entry] };
    for (const version of [1, 2]) {
      await writeFile(join(folder, "data.json"), JSON.stringify({ ...record, version, task: "single-label" }));
      expect(await savedSplit(folder)).toEqual({
        from: folder,
        classes: ["a"],
        samples: [{ path: "a/1", split: "train", sha256: hash("1") }],
      });
    }
  });

  test.each([
    ["{", /is no JSON/],
    ["[]", /cannot be used: the value: /],
    [JSON.stringify({ version: 3, classes: [], samples: [entry] }), /version: /],
    [JSON.stringify({ version: 2, classes: [], samples: [] }), /samples: /],
    [JSON.stringify({ version: 2, classes: [], samples: [{ ...entry, sha256: "../../etc" }] }), /samples.0.sha256: /],
    [JSON.stringify({ version: 2, classes: [], samples: [{ ...entry, split: "__proto__" }] }), /samples.0.split: /],
    ["[".repeat(100_000), /is no JSON/],
  ])("refuses %.40s", async (text, message) => {
    const file = join(await temporaryFolder(), "data.json");
    await writeFile(file, text);
    const error = await savedSplit(file).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "BAD_DATA", message: expect.stringMatching(message) });
    expect(error).toMatchObject({ message: expect.stringMatching(/Expected the folder of a run/) });
  });

  test("refuses a folder without a record", async () => {
    await expect(savedSplit(await temporaryFolder())).rejects.toThrow(/does not exist\. Expected the folder of a run/);
  });
});
