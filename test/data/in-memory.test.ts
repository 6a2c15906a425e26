import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type InMemoryImage, inMemoryDataset } from "../../src/data/in-memory.ts";
import { readBounded } from "../../src/data/inspect.ts";
import { bySplit, manifest, sourceOf } from "../../src/data/sample.ts";
import { png, temporaryFolder, writeTree } from "./made.ts";

const labelled = (count: number): Promise<InMemoryImage[]> =>
  Promise.all(Array.from({ length: count }, async (_, i) => ({ image: await png(i + 1), label: "ab"[i % 2]! })));

describe("inMemoryDataset", () => {
  test("takes bytes and files together", async () => {
    const root = await temporaryFolder();
    await writeTree(root, { "0.png": 100, "x.png": "text" });
    const images: InMemoryImage[] = [
      ...(await labelled(9)),
      { image: join(root, "0.png"), label: "b", group: "g", weight: 2 },
      { image: join(root, "x.png"), label: "b" },
      { image: new TextEncoder().encode("<html>"), name: "page", label: "a" },
      { image: new Uint8Array(0), label: "a" },
    ];
    const data = await inMemoryDataset(images, { seed: 2 });
    expect(data).toMatchObject({ task: "single-label", classes: ["a", "b"], splitSource: { seed: 2, fraction: 0.2 } });
    expect(data.samples).toHaveLength(10);
    expect(bySplit(data, "validation")).toHaveLength(2);
    expect(data.skipped.map(({ file, reason }) => [file, reason])).toEqual([
      [join(root, "x.png"), "is not an image (looks like text)"],
      ["page", "is not an image (looks like HTML)"],
      ["image-12", "is empty (0 bytes)"],
    ]);
    const bytes = data.samples.find(({ path }) => path === "image-3")!;
    expect(sourceOf(bytes)).toBe(images[3]!.image);
    expect(readBounded(sourceOf(bytes))).toEqual({ content: images[3]!.image });
    const file = data.samples.find(({ group }) => group === "g")!;
    expect([sourceOf(file), file.weight, "content" in file]).toEqual([join(root, "0.png"), 2, false]);
    expect(JSON.stringify(manifest(data))).not.toContain("content");
  });

  test("takes several labels, and values", async () => {
    const images = (await labelled(4)).map(({ image }) => image);
    const labels = [["y", "x", "y"], [], ["x"], ["y"]];
    const multi = await inMemoryDataset(images.map((image, i) => ({ image, labels: labels[i]! })));
    expect(multi).toMatchObject({ task: "multi-label", classes: ["x", "y"] });
    expect(multi.samples.map(({ target }) => target)).toEqual([[0, 1], [], [0], [1]]);
    const values = images.map((image, i) => ({ image, values: [i, -i] }));
    const data = await inMemoryDataset(values, { targets: ["u", "v"], validation: 0.5 });
    expect(data).toMatchObject({ task: "regression", classes: ["u", "v"] });
    expect((await inMemoryDataset(values)).classes).toEqual(["value 1", "value 2"]);
  });

  test("keeps given splits", async () => {
    const images = (await labelled(6)).map((item, i) => ({ ...item, split: i < 4 ? "train" : "validation" }) as const);
    expect(await inMemoryDataset(images)).toMatchObject({ splitSource: "column", notes: [] });
  });

  test.each<[string, readonly Partial<InMemoryImage>[], RegExp]>([
    ["nothing", [], /requires images, got none/],
    ["no target", [{}], /exactly one of label, labels and values, image 0 has 0/],
    ["two targets", [{ label: "a", values: [1] }], /image 0 has 2/],
    ["two tasks", [{ label: "a" }, { values: [1] }], /task of the first one, single-label, got regression \(image 1\)/],
    ["other widths", [{ values: [1] }, { values: [1, 2] }], /values requires 1 finite numbers, got \[1,2\]/],
    ["NaN", [{ values: [Number.NaN] }], /finite numbers/],
    ["no values", [{ values: [] }], /at least one number/],
    ["a weight of 0", [{ label: "a", weight: 0 }], /weight requires a number above 0, got 0/],
    [
      "a name twice",
      [
        { label: "a", name: "x" },
        { label: "a", name: "x" },
      ],
      /got x twice \(image 1\)/,
    ],
  ])("refuses %s", async (_what, items, message) => {
    const images = await Promise.all(items.map(async (item, i) => ({ image: await png(i), ...item })));
    await expect(inMemoryDataset(images)).rejects.toThrow(message);
  });

  test("refuses names of targets that do not fit", async () => {
    const image = await png(1);
    await expect(inMemoryDataset([{ image, values: [1] }], { targets: ["a", "b"] })).rejects.toThrow(
      /1 different names/,
    );
    await expect(inMemoryDataset([{ image, label: "a" }], { targets: ["a"] })).rejects.toThrow(/images with values/);
  });

  test("takes what fetch gives", async () => {
    const images = (await labelled(4)).map((item) => ({
      ...item,
      image: new Uint8Array(item.image as Uint8Array).buffer,
    }));
    const data = await inMemoryDataset(images);
    const same = await inMemoryDataset(await labelled(4));
    expect(data.samples.map(({ sha256 }) => sha256)).toEqual(same.samples.map(({ sha256 }) => sha256));
    expect(data.samples[0]!.content).toBeInstanceOf(Uint8Array);
  });

  test.each<[string, unknown, RegExp]>([
    ["a number as a class", { label: 3 }, /label requires the name of a class, got 3 \(image 1\)\. Write label: "3"/],
    ["a class without a name", { label: "" }, /label requires the name of a class, got "" \(image 1\)/],
    ["a class of blanks", { label: "  " }, /name of a class/],
    ["labels that are one text", { labels: "cat" }, /labels requires a list of names of classes, got "cat"/],
    ["a number among labels", { labels: ["a", 4] }, /list of names of classes, got 4/],
    ["values that are one number", { values: 2 }, /values requires a list of numbers, got 2/],
    ["pixels as numbers", { label: "a", image: [1, 2] }, /bytes of an image file .*, got a list \(image 1\)/],
    ["an empty path", { label: "a", image: "" }, /requires a path/],
    ["no image", { label: "a", image: undefined }, /got undefined \(image 1\)/],
    ["another split", { label: "a", split: "val" }, /split of image 1 .*got "val"\. Did you mean "validation"\?/],
    ["a number as a group", { label: "a", group: 7 }, /group requires a text that is not empty, got 7/],
    ["an unknown key", { lable: "a" }, /image 1 has no option "lable"\. Did you mean label/],
    ["nothing in its place", null, /image 1 requires an object of options, got null/],
  ])("refuses %s, with its place", async (_what, item, message) => {
    const other = item === null ? item : { image: await png(2), ...(item as Partial<InMemoryImage>) };
    const images = [{ image: await png(1), label: "a" }, other] as InMemoryImage[];
    await expect(inMemoryDataset(images)).rejects.toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
    await expect(inMemoryDataset(images)).rejects.toThrow(message);
  });

  test("refuses what is no list", async () => {
    await expect(inMemoryDataset(undefined as unknown as [])).rejects.toThrow(/a list of images, got undefined/);
  });
});
