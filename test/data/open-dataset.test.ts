import { join } from "node:path";
import { expect, test } from "vitest";
import { openDataset } from "../../src/data/open-dataset.ts";
import { classTree, temporaryFolder, writeTree } from "./made.ts";

async function made(): Promise<string> {
  const root = await temporaryFolder();
  const rows = ["a/0.png,x", "a/1.png,y", "b/0.png,x", "b/1.png,y"];
  await writeTree(root, {
    ...classTree({ a: 3, b: 3 }),
    "t.csv": ["image,label", ...rows].join("\n"),
    "list.json": "[]",
    "photo.png": 9,
  });
  return root;
}

test("reads folders and tables", async () => {
  const root = await made();
  expect(await openDataset(root, { task: "single-label" })).toMatchObject({ classes: ["a", "b"] });
  expect(await openDataset(join(root, "t.csv"), { seed: 4 })).toMatchObject({
    classes: ["x", "y"],
    splitSource: { seed: 4, fraction: 0.2 },
  });
});

test("refuses what is neither, and options of the other kind", async () => {
  const root = await made();
  await expect(openDataset(join(root, "none"))).rejects.toThrow(/none does not exist\. Expected one folder/);
  await expect(openDataset(join(root, "photo.png"))).rejects.toThrow(/neither a folder nor a table/);
  await expect(openDataset(join(root, "list.json"))).rejects.toThrow(/JSON Lines with one object on each line/);
  await expect(openDataset(root, { labelColumn: "x" })).rejects.toThrow(/labelColumn requires a table of images/);
  await expect(openDataset(root, { task: "regression" })).rejects.toThrow(/a folder of classes is single-label data/);
  await expect(openDataset(join(root, "t.csv"), { followLinks: false })).rejects.toThrow(
    /followLinks requires a folder/,
  );
});
