import { expect, test } from "vitest";
import { hasDecimalComma, isMissing, numberOf, tableFacts } from "../../../src/data/tables/table-facts.ts";
import type { BadRow, TableRow } from "../../../src/data/tables/table-rows.ts";
import type { Json } from "../../../src/json.ts";

async function* rowsOf(rows: readonly Readonly<Record<string, Json>>[]): AsyncGenerator<TableRow | BadRow> {
  for (const [i, cells] of rows.entries()) yield { line: i + 2, cells: new Map(Object.entries(cells)) };
  yield { line: rows.length + 2, problem: "is bad" };
}

test("counts what the cells of each column are", async () => {
  const rows = [
    { a: "1", b: "x;y", c: ["x"] },
    { a: "0.5", b: "", c: null },
    { a: "nan", b: "u,v", d: true },
  ];
  const { rows: count, columns, problems } = await tableFacts("t", rowsOf(rows));
  expect([count, problems]).toEqual([3, "line 5 is bad"]);
  expect(columns.get("a")).toMatchObject({ numbers: 2, fractions: 1, binary: false, texts: 0, lists: 0 });
  expect(columns.get("b")).toMatchObject({ numbers: 0, texts: 2, separator: ";" });
  expect(columns.get("c")).toMatchObject({ numbers: 0, texts: 0, lists: 1, separator: undefined });
  expect(columns.get("d")).toMatchObject({ numbers: 0, texts: 1 });
});

test("numberOf reads plain decimals only", () => {
  const read = ["1", "-0.5", "+.5", "1e3", "1.", "0x10", "1,5", "1 2", "Infinity", "1e999", "", "1_000", "NaN"].map(
    numberOf,
  );
  expect(read).toEqual([1, -0.5, 0.5, 1000, 1, ...Array(8).fill(undefined)]);
  expect(numberOf(" 1 ")).toBe(1);
  expect([numberOf(2), numberOf(Number.POSITIVE_INFINITY), numberOf(null), numberOf(true), numberOf(["1"])]).toEqual([
    2,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a decimal comma is told from other text", async () => {
  expect(["1,5", " -0,25 ", "1,5,2", "a,b", "1.5", 1.5].map(hasDecimalComma)).toEqual([
    ...[true, true],
    ...Array(4).fill(false),
  ]);
  const { columns } = await tableFacts("t", rowsOf([{ a: "1,5" }, { a: "x,y" }]));
  expect(columns.get("a")).toMatchObject({ commas: 1, texts: 2 });
});

test("isMissing knows the usual spellings", () => {
  expect(["", "NaN", "NA", "null", null, undefined, "0", "x"].map(isMissing)).toEqual([
    ...Array(6).fill(true),
    false,
    false,
  ]);
});

test("rows with ever new columns are given up", async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => ({ [`c${i}`]: 1 }));
  await expect(tableFacts("t.jsonl", rowsOf(rows))).rejects.toThrow(/at most 16384 columns/);
});
