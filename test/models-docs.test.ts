/** docs/models.md is the catalog. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CATALOG, type WeightsSource } from "../src/models/catalog.ts";
import { describePreprocessing, type Preprocessing } from "../src/transforms/preprocessing.ts";

const script: string = new URL("../scripts/models-doc.mjs", import.meta.url).href; // a variable: it has no types
const { modelsPage } = (await import(script)) as {
  modelsPage: (catalog: readonly WeightsSource[], describe: (how: Preprocessing) => string) => string;
};

test("docs/models.md is what the catalog gives; otherwise: npm run build && node scripts/models-doc.mjs", () => {
  expect(readFileSync("docs/models.md", "utf8")).toBe(modelsPage(CATALOG, describePreprocessing));
});

test("every record has a row of ten cells, and every table's rows are as long as its header", () => {
  const page = modelsPage(CATALOG, describePreprocessing);
  const rows = page.split("\n").filter((line) => line.startsWith("|"));
  expect(rows.map((line) => line.split(" | ").length).filter((cells) => cells !== 10)).toEqual([]);
  for (const { name } of CATALOG) expect(rows.filter((line) => line.includes(`[${name}](`))).toHaveLength(1);
  expect(page).not.toMatch(/undefined|NaN|\[object/);
});
