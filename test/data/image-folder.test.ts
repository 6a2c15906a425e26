import { chmod, mkdir, readdir, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { bySplit, type Dataset } from "../../src/data/sample.ts";
import { assets, withAssets } from "../assets.ts";
import { classTree, temporaryFolder, writeTree } from "./made.ts";

type Tree = Parameters<typeof writeTree>[1];

async function folder(tree: Tree): Promise<string> {
  const root = await temporaryFolder();
  await writeTree(root, tree);
  return root;
}

const paths = (data: Dataset, split: "train" | "validation" | "test"): string[] =>
  bySplit(data, split).map(({ path }) => path);
const skipped = (data: Dataset): Record<string, string> =>
  Object.fromEntries(data.skipped.map(({ file, reason }) => [file.slice(data.root.length + 1), reason]));

describe("a folder of classes", () => {
  test("gives sorted classes, samples with hash and size, and a stratified split", async () => {
    const root = await folder(classTree({ b: 10, a: 5, ä: 5 }));
    const data = await imageFolder(root, { validation: 0.2, seed: 7 });
    expect(data.classes).toEqual(["a", "b", "ä"]);
    expect(data.splitSource).toEqual({ seed: 7, fraction: 0.2 });
    expect(data.samples).toHaveLength(20);
    const sample = data.samples[0]!;
    expect(sample).toEqual({
      file: join(root, "a/0.png"),
      path: "a/0.png",
      target: [0],
      split: expect.any(String),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: expect.any(Number),
    });
    const counts = [0, 1, 2].map((label) => bySplit(data, "validation").filter((s) => s.target[0] === label).length);
    expect(counts).toEqual([1, 2, 1]);
    expect([data.skipped, data.notes]).toEqual([[], []]);
  });

  test("splits alike whatever the folder is called and in whatever order it was written", async () => {
    const tree = classTree({ a: 20, b: 20 });
    const first = await imageFolder(await folder(tree), { seed: 3 });
    const second = await imageFolder(await folder(Object.fromEntries(Object.entries(tree).reverse())), { seed: 3 });
    expect(paths(second, "validation")).toEqual(paths(first, "validation"));
    const other = await imageFolder(first.root, { seed: 4 });
    expect(paths(other, "validation")).not.toEqual(paths(first, "validation"));
  });

  test("takes subfolders of a class, and two spellings of one Unicode name, as one class", async () => {
    const root = await folder({ ...classTree({ "a/x/y": 2, b: 2 }), "caf\u00e9/1.png": 90, "cafe\u0301/2.png": 91 });
    const data = await imageFolder(root);
    expect(data.classes).toEqual(["a", "b", "caf\u00e9"]);
    expect(data.samples.map(({ path }) => path)).toContain("a/x/y/1.png");
    expect(data.samples.filter(({ target }) => target[0] === 2)).toHaveLength(2);
  });

  test("takes train for a class where it stands among other classes", async () => {
    const data = await imageFolder(await folder(classTree({ bus: 2, train: 2 })));
    expect(data.classes).toEqual(["bus", "train"]);
    expect(data.notes[0]).toBe(
      "The folder train is taken as a class, since it stands beside other folders with files.",
    );
  });
});

describe("folders train, val and test", () => {
  test("decide the split, in any case", async () => {
    const tree = classTree({ "Train/a": 2, "Train/b": 2, "VALID/a": 1, "VALID/b": 1, "test/a": 1, "test/b": 1 });
    const data = await imageFolder(await folder(tree));
    expect(data.splitSource).toBe("folders");
    expect(paths(data, "train")).toEqual(["Train/a/0.png", "Train/a/1.png", "Train/b/0.png", "Train/b/1.png"]);
    expect(paths(data, "validation")).toEqual(["VALID/a/0.png", "VALID/b/0.png"]);
    expect(paths(data, "test")).toEqual(["test/a/0.png", "test/b/0.png"]);
  });

  test("leave validation to a draw from train where there is only test", async () => {
    const tree = classTree({ "train/a": 5, "train/b": 5, "test/a": 5 });
    const data = await imageFolder(await folder(tree), { validation: 0.4 });
    expect(paths(data, "validation")).toHaveLength(4);
    expect(paths(data, "test")).toHaveLength(5);
    expect(data.notes).toEqual(["No test images of b."]);
  });

  test("note what stands beside them, and images in no class", async () => {
    const tree = {
      ...classTree({ "train/a": 2, "train/b": 2, "val/a": 1, "val/b": 1, extra: 1 }),
      "train/loose.png": 80,
    };
    const data = await imageFolder(await folder(tree));
    expect(data.notes).toEqual(["Ignored beside train, val: extra."]);
    expect(skipped(data)).toEqual({ "train/loose.png": "is outside the class folders; move it into one" });
  });

  test("are noted where they hold nothing usable, and validation is drawn", async () => {
    const root = await folder({
      ...classTree({ "train/a": 2, "train/b": 2 }),
      "val/a/x.jpg": "text",
      "test/.keep": "",
    });
    const data = await imageFolder(root);
    expect(data.splitSource).toEqual({ seed: 0, fraction: 0.2 });
    expect(data.notes).toContain("Ignored without any files: test.");
    expect(data.notes).toContain("Ignored 1 folder without usable images: val/a.");
    expect(data.notes).toContain("No validation folder has usable images: validation images are drawn from train.");
  });

  test("contradict a fraction, and a class without training images", async () => {
    const root = await folder(classTree({ "train/a": 2, "train/b": 2, "val/a": 1, "val/c": 1 }));
    await expect(imageFolder(root, { validation: 0.2 })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    await expect(imageFolder(root)).rejects.toThrow(/"c" has images in val or test only.*"a", "b"/);
  });

  test("must not be two of one kind, nor lack train", async () => {
    const two = await folder(classTree({ "train/a": 2, "train/b": 2, "val/a": 1, "valid/a": 1 }));
    await expect(imageFolder(two)).rejects.toThrow(/two folders of validation images: val and valid/);
    const none = await folder(classTree({ "val/a": 2, "test/b": 2 }));
    await expect(imageFolder(none)).rejects.toThrow(/has a folder test and val, but no train folder/);
  });
});

describe("to evaluate", () => {
  const purpose = "evaluate";

  test("one class is enough, and nothing is drawn", async () => {
    const root = await folder(classTree({ a: 5 }));
    await expect(imageFolder(root)).rejects.toThrow(/found only one, a/);
    const data = await imageFolder(root, { purpose });
    expect(data).toMatchObject({ classes: ["a"], splitSource: "folders", notes: [] });
    expect(paths(data, "train")).toHaveLength(5);
  });

  test.each([
    ["val", "validation"],
    ["test", "test"],
  ] as const)("a folder %s is enough", async (name, split) => {
    const data = await imageFolder(await folder(classTree({ [`${name}/a`]: 2, [`${name}/b`]: 1 })), { purpose });
    expect(data).toMatchObject({ classes: ["a", "b"], splitSource: "folders", notes: [] });
    expect(paths(data, split)).toHaveLength(3);
  });

  test("a class needs no training images", async () => {
    const data = await imageFolder(await folder(classTree({ "train/a": 2, "train/b": 2, "test/c": 1 })), { purpose });
    expect(data.classes).toEqual(["a", "b", "c"]);
    expect(data.notes).toEqual(["No train images of c.", "No test images of a, b."]);
  });

  test("images are required, and options that draw are refused", async () => {
    const root = await folder({ "a/x.jpg": "text" });
    await expect(imageFolder(root, { purpose })).rejects.toThrow(/requires a class folder with images, found none/);
    for (const validation of [0.2, "held"])
      await expect(imageFolder(root, { purpose, validation })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    const wrong = "measure" as "train"; // as a program without types may pass it
    await expect(imageFolder(root, { purpose: wrong })).rejects.toThrow(
      'requires "train" or "evaluate", got "measure"',
    );
  });
});

describe("a validation folder given apart", () => {
  test("holds the validation images; paths lead out of the root", async () => {
    const root = await folder(classTree({ "photos/a": 3, "photos/b": 3, "held/a": 1, "held/b": 2 }));
    const data = await imageFolder(join(root, "photos"), { validation: join(root, "held") });
    expect(data.splitSource).toBe("folders");
    expect(paths(data, "validation")).toEqual(["../held/a/0.png", "../held/b/0.png", "../held/b/1.png"]);
    expect(paths(data, "train")).toHaveLength(6);
  });

  test("is no class where it lies inside the root", async () => {
    const root = await folder(classTree({ a: 3, b: 3, "held/a": 1, "held/b": 1 }));
    const data = await imageFolder(root, { validation: join(root, "held") });
    expect(data.classes).toEqual(["a", "b"]);
    expect(paths(data, "validation")).toEqual(["held/a/0.png", "held/b/0.png"]);
  });

  test("must not contain the root", async () => {
    const root = await folder(classTree({ "p/a": 2, "p/b": 2 }));
    await expect(imageFolder(join(root, "p"), { validation: root })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    await expect(imageFolder(root, { validation: root })).rejects.toThrow(/a folder apart from the training images/);
  });

  test("must exist and have usable images", async () => {
    const root = await folder({ ...classTree({ "p/a": 2, "p/b": 2 }), "empty/a/note.txt": "none" });
    await expect(imageFolder(join(root, "p"), { validation: join(root, "no") })).rejects.toThrow(/no does not exist/);
    await expect(imageFolder(join(root, "p"), { validation: join(root, "empty") })).rejects.toThrow(/no usable images/);
  });
});

describe("defects are reported by name", () => {
  test("copies: in two classes, in two splits, in one class", async () => {
    const tree = {
      "train/a/1.png": 1,
      "train/a/2.png": 1,
      "train/b/1.png": 3,
      "train/a/3.png": 3,
      "val/a/1.png": 1,
      "val/b/9.png": 9,
    };
    const { notes } = await imageFolder(await folder(tree));
    expect(notes).toEqual([
      "1 picture in more than one class: train/a/3.png = train/b/1.png (a, b).",
      "1 picture in more than one split: train/a/1.png = train/a/2.png = val/a/1.png (train, validation).",
    ]);
    const drawn = await imageFolder(await folder({ ...classTree({ a: 6, b: 6 }), "a/copy.png": 1, "a/copy2.png": 1 }), {
      validation: 0.5,
    });
    expect(drawn.notes).toEqual(["1 picture more than once in one class: a/0.png = a/copy.png = a/copy2.png."]);
  });

  test("classes that look alike", async () => {
    const { notes } = await imageFolder(await folder(classTree({ cat: 2, Cat: 2, "dog (2)": 2, dog: 2 })));
    expect(notes).toEqual([
      'The classes "Cat" and "cat" differ in upper and lower case or spaces only.',
      'The classes "dog" and "dog (2)" look like copies of one folder.',
    ]);
  });

  test("links in a circle, broken links, and folders linked twice", async () => {
    const root = await folder(classTree({ a: 2, b: 2, "a/real": 1 }));
    await symlink("..", join(root, "a", "up"));
    await symlink("nowhere", join(root, "a", "broken.png"));
    await symlink("0.png", join(root, "b", "link.png"));
    await symlink("real", join(root, "a", "again"));
    const elsewhere = await folder({ "x.png": 70, "y.png": 71 });
    await symlink(elsewhere, join(root, "c"));
    const data = await imageFolder(root);
    expect(data.classes).toEqual(["a", "b", "c"]);
    expect(skipped(data)).toEqual({
      "a/again": "is a link to a folder that is already listed",
      "a/broken.png": "is a broken link",
      "a/up": "is a link to a folder that is already listed",
    });
    expect(data.samples.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["b/link.png", "a/real/0.png", "c/x.png"]),
    );
  });

  test.skipIf(process.getuid?.() === 0)(
    "files and folders without permission (skipped for root, who may read all)",
    async () => {
      const root = await folder(classTree({ a: 3, b: 2, "b/locked": 1 }));
      await chmod(join(root, "a/0.png"), 0);
      await chmod(join(root, "b/locked"), 0);
      const data = await imageFolder(root);
      await chmod(join(root, "b/locked"), 0o755);
      expect(skipped(data)).toEqual({
        "a/0.png": "cannot be read (permission denied)",
        "b/locked": "cannot be read (permission denied)",
      });
    },
  );

  test("names with control characters are shown harmlessly", async () => {
    const root = await folder({ ...classTree({ a: 2, b: 2 }), "c\u001b[2J/.keep": "" });
    expect((await imageFolder(root)).notes.join(" ")).toContain("c\\u{1b}[2J");
  });
});

describe("what cannot be used is refused with what was expected", () => {
  test("a missing folder, a file, no classes, one class, no images", async () => {
    const root = await folder({
      "a/1.png": 1,
      "a/2.png": 2,
      "one.png": 3,
      "t/a/x.jpg": "text",
      "t/b/y.jpg": "<html>",
      "none/.k": "",
    });
    const expectation = /Expected one folder of images for each class, such as .*cat\/1\.jpg/;
    for (const [name, pattern] of [
      ["missing", /missing does not exist/],
      ["one.png", /one.png is a file, not a folder/],
      ["one.png/x", /does not exist \(a part of its path is a file\)/],
      ["a", /found none\. 2 images outside of class folders\./],
      ["none", /found none\./],
      ["t", /found none\. Files that cannot be used: .*x.jpg is not an image \(looks like text\), .*HTML/],
      [".", /found only one, a\. 1 image outside/],
    ] as const) {
      const error = await imageFolder(join(root, name)).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "BAD_DATA", message: expect.stringMatching(pattern) });
      expect(error).toMatchObject({ message: expect.stringMatching(expectation) });
    }
  });

  test.each([0, 1, -0.2, 20, Number.NaN])("validation %d", async (validation) => {
    await expect(imageFolder("x", { validation })).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });

  test("a seed that is no whole number, and an aborted signal", async () => {
    await expect(imageFolder("x", { seed: 1.5 })).rejects.toThrow(/seed requires a whole number, got 1.5/);
    const root = await folder(classTree({ a: 2, b: 2 }));
    await expect(imageFolder(root, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  });
});

test("an empty class beside others is noted, and a class of one image has no validation image", async () => {
  const root = await folder({ ...classTree({ a: 3, b: 1 }), "empty/.gitkeep": "", "README.md": "# x" });
  await mkdir(join(root, "bare"));
  await rename(join(root, "a/0.png"), join(root, "a/0"));
  const { notes, classes } = await imageFolder(root);
  expect(classes).toEqual(["a", "b"]);
  expect(notes).toEqual([
    "Ignored 2 folders without usable images: bare, empty.",
    "Ignored hidden and system files: empty/.gitkeep.",
    "Ignored 1 file outside the class folders: README.md.",
    "No validation images of b.",
  ]);
});

withAssets("the messy class folders (skipped without ../shared/assets)", () => {
  const root = join(assets ?? "", "messy", "class-folders");

  test("every file is used, skipped or noted, as its README says", async () => {
    const data = await imageFolder(root, { seed: 1 });
    expect(data.classes).toEqual(["cat", "dog", "dog (2)"]);
    expect(skipped(data)).toEqual({
      "dog/download.jpg": "is not an image (looks like HTML)",
      "dog/notes.jpg": "is not an image (looks like text)",
      "dog/zero.jpg": "is empty (0 bytes)",
      "stray_root_file.jpg": "is outside the class folders; move it into one",
    });
    const ignored = [".DS_Store", "cat/._cat.0.jpg", "dog/Thumbs.db", "empty_class/.gitkeep"];
    expect(data.notes.slice(0, 4)).toEqual([
      "Ignored 1 folder without usable images: empty_class.",
      `Ignored hidden and system files: ${ignored.join(", ")}.`,
      "Ignored 1 file outside the class folders: labels_old.csv.",
      'The classes "dog" and "dog (2)" look like copies of one folder.',
    ]);
    const duplicates = data.notes.slice(4).join("\n");
    for (const name of ["dog/duplicate_of_a_cat.jpg", "cat/duplicate_same_class.jpg", "cat/nested/nested_copy.jpg"]) {
      expect(duplicates).toContain(name);
    }
    const all = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(data.samples.length + data.skipped.length + ignored.length + 1).toBe(all.length);
    const used = new Set(data.samples.map(({ path }) => path));
    for (const name of [
      "cat/猫の写真.jpg",
      "cat/кошка №1.jpg",
      "dog/🐶.jpeg",
      "dog/DOG IMG 001.JPG",
      "cat/old.gif",
      "cat/broken_half.jpg",
    ]) {
      expect(used.has(name)).toBe(true); // a picture cut in half is found when it is decoded
    }
  });

  test("the hymenoptera photographs split by their folders", async () => {
    const data = await imageFolder(join(assets ?? "", "datasets", "hymenoptera"));
    expect(data.classes).toEqual(["ants", "bees"]);
    expect([bySplit(data, "train").length, bySplit(data, "validation").length]).toEqual([244, 153]);
  });
});

describe("options that choose", () => {
  test("classes: a part of the folders, in the given order", async () => {
    const root = await folder({ ...classTree({ a: 3, b: 3, c: 3 }), "empty/.keep": "" });
    const data = await imageFolder(root, { classes: ["c", "a"] });
    expect(data.classes).toEqual(["c", "a"]);
    expect(data.samples.map(({ path, target }) => [path[0], target[0]])).toEqual([
      ...Array(3).fill(["a", 1]),
      ...Array(3).fill(["c", 0]),
    ]);
    expect(data.notes[0]).toBe("Left out 3 files of 1 other folder: b.");
    await expect(imageFolder(root, { classes: ["a", "d"] })).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });

  test("followLinks: links are left out by name", async () => {
    const root = await folder(classTree({ a: 3, b: 3 }));
    await symlink("0.png", join(root, "b", "link.png"));
    const data = await imageFolder(root, { followLinks: false });
    expect(skipped(data)).toEqual({ "b/link.png": "is a link, and links are not followed" });
  });

  test("groupOf: a group is in one split", async () => {
    const root = await folder(classTree({ a: 20, b: 20 }));
    const data = await imageFolder(root, { groupOf: (path) => /(\d)\.png$/.exec(path)?.[1] });
    expect(bySplit(data, "validation")).toHaveLength(8);
    expect(new Set(bySplit(data, "validation").map(({ group }) => group)).size).toBe(2);
    const { notes } = await imageFolder(root, { groupOf: () => undefined });
    expect(notes).toEqual(["No image has a group: what tells groups by paths fits none of them."]);
  });

  test("test and folds: drawn from the training images", async () => {
    const root = await folder(classTree({ a: 10, b: 10 }));
    const data = await imageFolder(root, { test: 0.2, validation: 0.3 });
    expect((["train", "validation", "test"] as const).map((split) => paths(data, split).length)).toEqual([10, 6, 4]);
    const held = await Promise.all([0, 1, 2, 3].map((fold) => imageFolder(root, { folds: 4, fold })));
    expect(new Set(held.flatMap((fold) => paths(fold, "validation"))).size).toBe(20);
  });
});
