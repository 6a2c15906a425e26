/** docs/models.md is the catalog. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CATALOG, findWeights, type WeightsSource } from "../src/models/catalog.ts";
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

describe("docs/choosing-a-model.md", () => {
  const text = readFileSync(new URL("../docs/choosing-a-model.md", import.meta.url), "utf8");
  const rows = text
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim()));

  test("states the catalog's figures", () => {
    const recommended = rows.filter((cells) => cells.length === 8 && /^`[^-]/.test(cells[2]!));
    expect(recommended.length).toBeGreaterThan(4);
    for (const [, , name, top1, parameters, multiplyAdds, download] of recommended) {
      const { accuracy, bytes, approximateBytes, ...source } = findWeights(name!.slice(1, -1));
      const percent = accuracy?.of === "network" ? (100 * accuracy.top1).toFixed(1) : "–";
      expect({ name, top1, parameters, download }).toEqual({
        name,
        top1: percent,
        parameters: `${(source.parameters / 1e6).toFixed(1)} M`,
        download: `${Math.round((bytes ?? approximateBytes!) / 1e6)} MB`,
      });
      if (multiplyAdds === "–") expect(source.multiplyAdds).toBeUndefined();
      else expect(Number(multiplyAdds!.replace(" G", ""))).toBeCloseTo(source.multiplyAdds! / 1e9, 1);
    }
  });

  test("names weights that are in the catalog", () => {
    const names = [...text.matchAll(/--model ([\w@./]+)`/g)].map(([, name]) => name!);
    const ofCatalog = names.filter((name) => !/\.(pth|onnx|keras|h5|json)$/.test(name));
    expect(ofCatalog.length).toBeGreaterThan(3);
    for (const name of ofCatalog) expect(() => findWeights(name)).not.toThrow();
  });
});
