import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listCaches } from "../../src/features/store.ts";
import { openTables, type TableOptions } from "../../src/features/view-tables.ts";
import { backboneGraph, findCut } from "../../src/models/backbone.ts";
import { temporaryFolder } from "../data/made.ts";
import { tinyGraph } from "../models/tiny.ts";

const hash = "ab".repeat(32);
const backbone = () => backboneGraph(tinyGraph(), findCut(tinyGraph()));
const options = (cacheFolder: string, changes: Partial<TableOptions> = {}): TableOptions => ({
  name: "tiny",
  preprocessing: {
    version: 1,
    inputSize: [8, 8],
    resize: { kind: "stretch" },
    interpolation: "bilinear",
    channels: "RGB",
    layout: "NCHW",
    scale: 1,
    offset: 0,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  },
  cacheFolder,
  clock: () => 0,
  ...changes,
});
const views = {
  augmentation: { version: 1, transforms: [{ name: "horizontal-flip", probability: undefined }] },
  seed: "s",
  count: 2,
} as const;

test("every view has a table; what is put is there at once, and on disk after a flush", async () => {
  const root = await temporaryFolder();
  const tables = await openTables(backbone(), 2, options(root, { views }));
  expect(tables).toHaveLength(3);
  for (const [view, table] of tables.entries()) {
    expect(table.get(hash)).toBeUndefined();
    table.put(hash, Float32Array.of(view, 1));
    expect(table.get(hash)).toEqual(Float32Array.of(view, 1));
  }
  const unflushed = await openTables(backbone(), 2, options(root, { views }));
  expect(unflushed.map((table) => table.get(hash))).toEqual([undefined, undefined, undefined]);
  for (const table of tables) await table.flush();
  const reopened = await openTables(backbone(), 2, options(root, { views: { ...views, count: 1 } }));
  expect(reopened.map((table) => table.get(hash))).toEqual([0, 1].map((view) => Float32Array.of(view, 1)));
});

test("a cache says which view of which augmentation it holds", async () => {
  const root = await temporaryFolder();
  await openTables(backbone(), 2, options(root, { views }));
  const about = (await listCaches(root)).map((entry) => (entry.about as { readonly view: unknown }).view);
  const augmentation = { version: 1, transforms: [{ name: "horizontal-flip" }] };
  expect(about).toHaveLength(3);
  expect(about).toEqual(
    expect.arrayContaining(["clean", { number: 1, seed: "s", augmentation }, { number: 2, seed: "s", augmentation }]),
  );
});

test("without a cache, or with one that cannot be used, tables keep what they are given", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  const warnings: string[] = [];
  const onWarning = (text: string) => warnings.push(text);
  for (const cache of [false, true]) {
    const tables = await openTables(backbone(), 2, options(file, { cache, views, onWarning }));
    for (const table of tables) table.put(hash, Float32Array.of(3, 4));
    for (const table of tables) await table.flush();
    expect(tables.map((table) => table.get(hash))).toEqual(Array(3).fill(Float32Array.of(3, 4)));
  }
  expect(warnings).toEqual([expect.stringContaining("cannot be used")]); // once for all views
});
