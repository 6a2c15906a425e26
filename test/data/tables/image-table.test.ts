import { execFile } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { bySplit, type Dataset, manifest } from "../../../src/data/sample.ts";
import { type ImageTableOptions, imageTable } from "../../../src/data/tables/image-table.ts";
import { assets, withAssets } from "../../assets.ts";
import { temporaryFolder, writeTree } from "../made.ts";

type Tree = Parameters<typeof writeTree>[1];

/** Images i/0.png, i/1.png … and a table of them. */
async function made(table: string, text: string, count = 6, more: Tree = {}): Promise<string> {
  const root = await temporaryFolder();
  const images = Array.from({ length: count }, (_, i) => [`i/${i}.png`, i + 1] as const);
  await writeTree(root, { ...Object.fromEntries(images), ...more, [table]: text });
  return join(root, table);
}

const lines = (header: string, count: number, row: (i: number) => string): string =>
  [header, ...Array.from({ length: count }, (_, i) => row(i))].join("\n");
const skippedOf = ({ skipped, root }: Dataset): string[] =>
  skipped.map(({ file, reason }) => `${relative(dirname(root), file)} ${reason}`);
const read = async (text: string, options?: ImageTableOptions, count?: number): Promise<Dataset> =>
  await imageTable(await made("t.csv", text, count), options);

describe("single-label", () => {
  test("gives samples as a folder of classes does", async () => {
    const file = await made(
      "t.csv",
      lines("image,label,group,weight", 10, (i) => `i/${i}.png,${i % 2 ? "b" : "a"},,`),
      10,
    );
    const data = await imageTable(file, { seed: 3 });
    expect(data).toMatchObject({ task: "single-label", classes: ["a", "b"], skipped: [], notes: [] });
    expect(data.splitSource).toEqual({ seed: 3, fraction: 0.2 });
    expect(data.samples[1]).toEqual({
      file: join(dirname(data.root), "i/1.png"),
      path: "i/1.png",
      target: [1],
      split: expect.any(String),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: expect.any(Number),
    });
    expect(bySplit(data, "validation")).toHaveLength(2);
  });

  test("reads split, group and weight", async () => {
    const rows = ["train,p,2", "Training,p,", "VAL,q,1", "dev,q,1", "test,,0.5", "testing,,1"];
    const data = await read(lines("image,label,split,group,weight", 6, (i) => `i/${i}.png,${"ab"[i % 2]},${rows[i]}`));
    expect(data.samples.map(({ split, group, weight }) => [split, group, weight])).toEqual([
      ["train", "p", 2],
      ["train", "p", undefined],
      ["validation", "q", 1],
      ["validation", "q", 1],
      ["test", undefined, 0.5],
      ["test", undefined, 1],
    ]);
    expect(data.splitSource).toBe("column");
  });

  test("never divides a group in the draw", async () => {
    const data = await read(
      lines("image,label,group", 40, (i) => `i/${i}.png,${"ab"[i % 2]},g${i >> 2}`),
      {},
      40,
    );
    for (let g = 0; g < 10; g++)
      expect(new Set(data.samples.filter(({ group }) => group === `g${g}`).map(({ split }) => split)).size).toBe(1);
    expect(bySplit(data, "validation")).toHaveLength(8);
  });

  test("takes classes in a given order, and a part of them", async () => {
    const text = lines("image,label", 6, (i) => `i/${i}.png,${"abc"[i % 3]}`);
    const data = await read(text, { classes: ["c", "a"] });
    expect(data.classes).toEqual(["c", "a"]);
    expect(data.samples.map(({ target }) => target[0])).toEqual([1, 0, 1, 0]);
    expect(data.notes).toEqual(["Left out 2 images of 1 class: b."]);
    await expect(read(text, { classes: ["a", "d"] })).rejects.toThrow(/names "d", but .* has no images of that/);
  });

  test("reads one-hot columns, numbers, truth values and quoted names", async () => {
    const hot = await read(
      lines("image,x,y", 6, (i) => `i/${i}.png,${i % 2},${1 - (i % 2)}`),
      { task: "single-label" },
    );
    expect([hot.classes, hot.samples.map(({ target }) => target[0])]).toEqual([
      ["x", "y"],
      [1, 0, 1, 0, 1, 0],
    ]);
    const numbers = await read(lines("image,label", 6, (i) => `i/${i}.png,${i % 3}`));
    expect(numbers.classes).toEqual(["0", "1", "2"]);
    const file = await made(
      "t.jsonl",
      lines("", 6, (i) => JSON.stringify({ image: `i/${i}.png`, label: i % 2 === 0 })),
    );
    expect((await imageTable(file)).classes).toEqual(["false", "true"]);
    const twice = "image,x,y\ni/0.png,1,1\ni/1.png,0,1\ni/2.png,1,0\n";
    await expect(read(twice, { task: "single-label" })).rejects.toThrow(/exactly one class.*Ask for multi-label/);
  });
});

describe("multi-label", () => {
  test("reads classes between separators, lists, and columns of 0 and 1 alike", async () => {
    const sets = ["x|y", "", "z", "y|z|y", "x", "x|z"];
    const expected = [[0, 1], [], [2], [1, 2], [0], [0, 2]];
    const all = { validation: 0.3 };
    const csv = await read(
      lines("image,labels", 6, (i) => `i/${i}.png,${sets[i]}`),
      all,
    );
    const jsonl = await imageTable(
      await made(
        "t.jsonl",
        lines("", 6, (i) => JSON.stringify({ image: `i/${i}.png`, labels: sets[i] ? sets[i].split("|") : [] })),
      ),
      all,
    );
    const has = (i: number, name: string): number => Number(sets[i]!.includes(name));
    const hot = await read(
      lines("image,x,y,z", 6, (i) => `i/${i}.png,${has(i, "x")},${has(i, "y")},${has(i, "z")}`),
      all,
    );
    for (const data of [csv, jsonl, hot]) {
      expect(data).toMatchObject({ task: "multi-label", classes: ["x", "y", "z"] });
      expect(data.samples.map(({ target }) => target)).toEqual(expected);
      expect(data.notes).toContain("1 image with none of the classes.");
    }
  });

  test("joins the rows of one image", async () => {
    const text = "image,label\ni/0.png,b\ni/0.png,a\n./i/../i/0.png,b\ni/1.png,b\ni/2.png,a\ni/3.png,b\n";
    const data = await read(text, { task: "multi-label" });
    expect(data.samples.map(({ target }) => target)).toEqual([[0, 1], [1], [0], [1]]);
    expect(data.notes).toContain("2 rows for an image that an earlier row names: the classes were joined.");
  });
});

describe("regression", () => {
  test("reads the values in the order of the targets", async () => {
    const text = lines("image,y,x", 6, (i) => `i/${i}.png,${i / 2},${-i}`);
    const data = await read(text, { targets: ["x", "y"], validation: 0.3 });
    expect(data).toMatchObject({ task: "regression", classes: ["x", "y"], notes: [] });
    expect(data.samples[3]!.target).toEqual([-3, 1.5]);
    expect(bySplit(data, "validation")).toHaveLength(2);
    expect((await read(text)).classes).toEqual(["y", "x"]);
  });

  test("skips values that are no numbers, by line", async () => {
    const values = ["1", "NaN", "", "abc", "0,5", "1e999"];
    const data = await read(
      lines("image;v", 6, (i) => `i/${i}.png;${values[i]}`),
      { targets: ["v"] },
    );
    expect(skippedOf(data)).toEqual([
      'i/1.png has no value for "v" (line 3 of t.csv)',
      'i/2.png has no value for "v" (line 4 of t.csv)',
      'i/3.png has "abc" for "v", which is no number (line 5 of t.csv)',
      'i/4.png has "0,5" for "v", which is no number: write a point for the comma (line 6 of t.csv)',
      'i/5.png has "1e999" for "v", which is no number (line 7 of t.csv)',
    ]);
  });
});

describe("paths", () => {
  test("may be absolute, lead out of the folder, or be written on Windows; records stay relative", async () => {
    const file = await made("sub/t.csv", "");
    const root = join(file, "../..");
    const paths = [join(root, "i/0.png"), "../i/1.png", "..\\i\\2.png", "./x/../../i/3.png"];
    await writeFile(
      file,
      lines("image,label", 4, (i) => `${paths[i]},${"ab"[i % 2]}`),
    );
    const data = await imageTable(file);
    expect(data.samples.map(({ path }) => path)).toEqual([0, 1, 2, 3].map((i) => `../i/${i}.png`));
    expect(JSON.stringify(manifest(data))).not.toContain(root);
    const text = lines("image,label", 4, (i) => `${i}.png,${"ab"[i % 2]}`);
    await writeFile(file, text);
    const elsewhere = await imageTable(file, { images: join(root, "i") });
    expect([elsewhere.root, elsewhere.samples[0]!.path]).toEqual([file, "0.png"]);
    await expect(imageTable(file)).rejects.toThrow(
      /0.png does not exist \(line 2 of t.csv\).*name another one with images/,
    );
  });

  test("outside the folder are counted where others are inside", async () => {
    const file = await made("i/t.csv", "image,label\n0.png,a\n1.png,b\n../o.png,a\n2.png,b\n", 3, { "o.png": 50 });
    expect((await imageTable(file)).notes).toContain("1 image outside the folder of the table's images.");
  });
});

test("rows that cannot be used are skipped with reason and line", async () => {
  const text = [
    "image,label,split,weight",
    "i/0.png,a,train,",
    "i/1.png,b,train,",
    "i/2.png,a,val,",
    "i/3.png,b,val,",
    ",a,train,",
    "none.png,a,train,",
    "t.csv,a,train,",
    "i,a,train,",
    "i/4.png,,train,",
    "i/4.png,a,maybe,",
    "i/4.png,a,,",
    "i/4.png,a,train,0",
    "i/4.png,a,train,x",
    "https://example.org/a.png,a,train,",
    "i/0.png,a,train,",
    "./i/../i/0.png,a,val,",
    "i/5.png,b,train,",
    "i/5.png,a,train,",
    "i/5.png,b,train,",
    "i/4.png,a,train,1e-50",
    "i/4.png,a",
    "loop.png,a,train,",
    `${"n".repeat(300)}.png,a,train,`,
  ].join("\n");
  const file = await made("t.csv", text);
  await symlink("loop.png", join(file, "../loop.png"));
  const data = await imageTable(file);
  expect(data.samples).toHaveLength(4);
  expect(skippedOf(data).sort()).toEqual(
    [
      "t.csv names no image (line 6 of t.csv)",
      "none.png does not exist (line 7 of t.csv)",
      "t.csv is not an image (looks like text) (line 8 of t.csv)",
      "i is a folder, not an image file (line 9 of t.csv)",
      "i/4.png has no label (line 10 of t.csv)",
      'i/4.png has the split "maybe", which is none of train, val, test (line 11 of t.csv)',
      "i/4.png has no split (line 12 of t.csv)",
      "i/4.png has the weight 0, where a number above 0 is required (line 13 of t.csv)",
      'i/4.png has "x" for "weight", which is no number (line 14 of t.csv)',
      't.csv names a web address, "https://example.org/a.png": download the images first (line 15 of t.csv)',
      "i/0.png is listed again, first on line 2 (line 16 of t.csv)",
      "i/0.png is listed again for validation, first on line 2 (line 17 of t.csv)",
      "i/5.png is listed with different labels on lines 18 and 19 (line 18 of t.csv)",
      "i/5.png is listed with different labels on lines 18 and 19 (line 19 of t.csv)",
      "i/5.png is listed with different labels on lines 18 and 20 (line 20 of t.csv)",
      "i/4.png has the weight 1e-50, where a number from 1e-30 to 1e+30 is required (line 21 of t.csv)",
      "t.csv has 2 cells where the header has 4 (line 22 of t.csv)",
      "loop.png is a link that leads to itself (line 23 of t.csv)",
      `${"n".repeat(300)}.png has too long a name (line 24 of t.csv)`,
    ].sort(),
  );
});

test("an image with different values is not used, whichever row comes first, in whichever table", async () => {
  const data = await read("image,v\ni/0.png,1.5\ni/1.png,2.5\ni/0.png,2.5\ni/2.png,2\n", { validation: 0.4 });
  expect(data.samples.map(({ path }) => path)).toEqual(["i/1.png", "i/2.png"]);
  expect(skippedOf(data)[0]).toBe("i/0.png is listed with different values on lines 2 and 4 (line 2 of t.csv)");
  const file = await made("t.csv", "image,label\ni/0.png,a\ni/1.png,b\ni/2.png,a\n");
  await writeFile(join(file, "../v.csv"), "image,label\ni/0.png,b\ni/3.png,b\n");
  const two = await imageTable(file, { validation: join(file, "../v.csv") });
  expect(two.samples.map(({ path }) => path)).toEqual(["i/1.png", "i/2.png", "i/3.png"]);
  expect(skippedOf(two)).toEqual([
    "i/0.png is listed with different labels on line 2 of t.csv and line 2 of v.csv (line 2 of t.csv)",
    "i/0.png is listed with different labels on line 2 of t.csv and line 2 of v.csv (line 2 of v.csv)",
  ]);
});

test("names and numbers in quotes lose the spaces around them, paths where there is no such file", async () => {
  const text = '" image "," v "\n" i/0.png "," 1.5 "\n"i/1.png","2"\n';
  const { classes, samples } = await read(text, { validation: 0.5 });
  expect(classes).toEqual(["v"]);
  expect(samples.map(({ path, target }) => [path, ...target])).toEqual([
    ["i/0.png", 1.5],
    ["i/1.png", 2],
  ]);
});

test("a class that no training image shows is noted where there may be several", async () => {
  const data = await read(lines("image,x,y,never", 6, (i) => `i/${i}.png,${i % 2},${1 - (i % 2)},0`));
  expect(data.classes).toEqual(["never", "x", "y"]);
  expect(data.notes).toContain("No train images of never.");
});

test("equal pictures and names that look alike are noted", async () => {
  const file = await made(
    "t.csv",
    lines("image,label,split", 6, (i) => `i/${i}.png,${i % 2 ? "Cat" : "cat"},${i < 4 ? "train" : "val"}`),
    4,
    {
      "i/4.png": 1,
      "i/5.png": 1,
    },
  );
  expect((await imageTable(file)).notes).toEqual([
    'The classes "Cat" and "cat" differ in upper and lower case or spaces only.',
    "1 picture in more than one class: i/0.png = i/4.png = i/5.png (cat, Cat).",
    "1 picture in more than one split: i/0.png = i/4.png = i/5.png (train, validation).",
  ]);
});

describe("validation images", () => {
  const text = lines("image,label", 6, (i) => `i/${i}.png,${"ab"[i % 2]}`);

  test("come from a second table, whose images lie where it says", async () => {
    const file = await made("t.csv", text, 6, {
      "v/v.csv": "image,label,split\n7.png,a,test\n8.png,b,\n",
      "v/7.png": 70,
      "v/8.png": 80,
    });
    const data = await imageTable(file, { validation: join(file, "../v/v.csv") });
    expect(bySplit(data, "validation").map(({ path }) => path)).toEqual(["v/7.png", "v/8.png"]);
    expect(data.splitSource).toBe("column");
  });

  test("are drawn where the split column has none, which is said", async () => {
    const data = await read(
      lines("image,label,split", 6, (i) => `i/${i}.png,${"ab"[i % 2]},${i === 5 ? "test" : "train"}`),
    );
    expect(data.notes).toContain("No usable row is for validation: validation images are drawn from train.");
    expect(bySplit(data, "test")).toHaveLength(1);
  });

  test("must not be asked for twice, and to evaluate not at all", async () => {
    const split = lines("image,label,split", 6, (i) => `i/${i}.png,${"ab"[i % 2]},${i < 4 ? "train" : "val"}`);
    await expect(read(split, { validation: 0.2 })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    await expect(read(text, { validation: 0.2, purpose: "evaluate" })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    const all = await read("image,label\ni/0.png,a\n", { purpose: "evaluate" });
    expect([all.classes, all.splitSource, all.samples.length]).toEqual([["a"], "column", 1]);
  });
});

describe("is refused", () => {
  test.each([
    ["no rows", "image,label\n", {}, /requires rows, has none to use\.$/],
    [
      "no row like the header",
      "# made by x\nimage,label\ni/0.png,a\ni/1.png,b\n",
      {},
      /none to use: line 2 has 2 cells where the header has 1; 2 more like it\.$/,
    ],
    [
      "no row with a value",
      "image,v,split\ni/0.png,1.5,x\ni/1.png,2,y\n",
      {},
      /0\.png has the split "x", which is none of train, val, test \(line 2 of t\.csv\); 1 more like it\.$/,
    ],
    ["no usable image", "image,label\nx.png,a\ny.png,b\n", {}, /has no image that can be used: .*x.png does not exist/],
    [
      "one class",
      "image,label\ni/0.png,a\ni/1.png,a\n",
      {},
      /at least two classes with training images, found only one, a/,
    ],
    [
      "a class for validation only",
      "image,label,split\ni/0.png,a,train\ni/1.png,b,train\ni/2.png,c,val\n",
      {},
      /every class requires training images, but "c" has none/,
    ],
    ["classes of regression", "image,v\ni/0.png,1.5\n", { classes: ["v"] }, /classes must not be given for regression/],
  ])("%s", async (_what, text, options, message) => {
    await expect(read(text, options)).rejects.toThrow(message);
  });

  test("an aborted reading", async () => {
    const text = "image,label\ni/0.png,a\ni/1.png,b\n";
    await expect(read(text, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  });
});

withAssets("the tables of the assets (skipped without ../shared/assets)", () => {
  const datasets = join(assets ?? "", "datasets");

  test("steering: values by the split of its README", async () => {
    const data = await imageTable(join(datasets, "steering", "labels.csv"), { targets: ["steering"] });
    expect(data).toMatchObject({ task: "regression", classes: ["steering"], skipped: [], splitSource: "column" });
    expect((["train", "validation", "test"] as const).map((split) => bySplit(data, split).length)).toEqual([
      420, 90, 90,
    ]);
    const both = await imageTable(join(datasets, "steering", "labels.csv"));
    expect(both.notes[0]).toBe("Columns taken as targets: steering, speed. Choose with targets.");
  });

  test("bccd-count: three counts, images in another folder", async () => {
    const data = await imageTable(join(datasets, "bccd-count", "labels.csv"));
    expect(data).toMatchObject({ task: "regression", classes: ["rbc", "wbc", "platelets"], skipped: [] });
    expect(data.samples[0]).toMatchObject({ path: "../bccd/JPEGImages/BloodImage_00000.jpg", target: [19, 1, 0] });
    expect(data.samples).toHaveLength(364);
  });
});

test("reads 5000 rows within 250 MB, a decoder that makes the pictures included", async () => {
  const script = fileURLToPath(new URL("large-table.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, "5000"]);
  const result: unknown = JSON.parse(stdout);
  expect(result).toMatchObject({ samples: 4500, skipped: 500, test: 450, groupsDivided: 0 });
  expect(result).toHaveProperty(
    "maxRssMB",
    expect.toSatisfy((value: number) => value > 0 && value < 250),
  );
});
