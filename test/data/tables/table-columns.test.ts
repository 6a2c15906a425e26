import { describe, expect, test } from "vitest";
import { type ColumnOptions, chooseColumns } from "../../../src/data/tables/table-columns.ts";
import { tableFacts } from "../../../src/data/tables/table-facts.ts";
import type { BadRow, TableRow } from "../../../src/data/tables/table-rows.ts";
import type { Json } from "../../../src/json.ts";

type Cells = Readonly<Record<string, Json>>;

async function* rowsOf(rows: readonly Cells[]): AsyncGenerator<TableRow | BadRow> {
  for (const [i, cells] of rows.entries()) yield { line: i + 2, cells: new Map(Object.entries(cells)) };
  yield { line: rows.length + 2, problem: "is bad" };
}

const choose = async (rows: readonly Cells[], options: ColumnOptions = {}) =>
  chooseColumns("t.csv", await tableFacts("t.csv", rowsOf(rows)), options);

describe("the target", () => {
  test.each<[string, readonly Cells[], ColumnOptions, string, unknown]>([
    ["label", [{ image: "a", label: "x" }], {}, "single-label", { kind: "label", column: "label" }],
    ["Class", [{ FileName: "a", Class: "x" }], {}, "single-label", { kind: "label", column: "Class" }],
    ["numbers as labels", [{ image: "a", label: "3" }], {}, "single-label", { kind: "label", column: "label" }],
    [
      "labels",
      [{ image: "a", labels: "x;y|z" }],
      {},
      "multi-label",
      { kind: "labels", column: "labels", separator: "|" },
    ],
    [
      "lists in label",
      [{ image: "a", label: ["x"] }],
      {},
      "multi-label",
      { kind: "labels", column: "label", separator: undefined },
    ],
    [
      "a separator",
      [{ image: "a", tags: "x y" }],
      { labelSeparator: " " },
      "multi-label",
      { kind: "labels", column: "tags", separator: " " },
    ],
    [
      "another column",
      [{ image: "a", kind: "x" }],
      { labelColumn: "kind" },
      "single-label",
      { kind: "label", column: "kind" },
    ],
    [
      "labels, one each",
      [{ image: "a", labels: "x" }],
      { task: "single-label" },
      "single-label",
      { kind: "label", column: "labels" },
    ],
    [
      "label as value",
      [{ image: "a", label: "3" }],
      { task: "regression" },
      "regression",
      { kind: "values", columns: ["label"] },
    ],
    [
      "values beside a label",
      [{ image: "a", label: "x", size: "3" }],
      { task: "regression" },
      "regression",
      { kind: "values", columns: ["size"] },
    ],
    [
      "numbers alone",
      [
        { id: "7", image: "a", split: "train", weight: "2", x: "1", y: "", z: "nan", t: "text" },
        { image: "b", y: "0.5" },
      ],
      {},
      "regression",
      { kind: "values", columns: ["x", "y"] },
    ],
    [
      "given targets",
      [{ image: "a", x: "1", y: "2" }],
      { targets: ["y"] },
      "regression",
      { kind: "values", columns: ["y"] },
    ],
    ["0 and 1 alone", [{ image: "a", x: "1", y: "0" }], {}, "multi-label", { kind: "indicators", columns: ["x", "y"] }],
    [
      "0 and 1 as values",
      [{ image: "a", x: "1", y: "0" }],
      { task: "regression" },
      "regression",
      { kind: "values", columns: ["x", "y"] },
    ],
    [
      "one hot",
      [{ image: "a", x: "1", y: "0" }],
      { task: "single-label" },
      "single-label",
      { kind: "indicators", columns: ["x", "y"] },
    ],
    ["one column of 0 and 1", [{ image: "a", sick: "1" }], {}, "single-label", { kind: "label", column: "sick" }],
  ])("%s", async (_what, rows, options, task, target) => {
    expect(await choose(rows, options)).toMatchObject({ task, target });
  });

  test("what was decided is said", async () => {
    const notes = async (rows: readonly Cells[]): Promise<string> => (await choose(rows)).notes.join("\n");
    expect(await notes([{ image: "a", path: "b", x: "1.5", note: "text", id: "3" }])).toBe(
      'The column "image" is taken before "path".\nColumns taken as targets: x; not taken: path, note, id. Choose with targets.',
    );
    expect(await notes([{ image: "a", label: "1.5" }])).toMatch(/numbers of "label" are taken as names of classes/);
    expect(await notes([{ image: "a", label: "1" }])).toBe("");
    expect(await notes([{ image: "a", x: "1", y: "0" }])).toMatch(/x, y hold nothing but 0 and 1/);
    expect(await notes([{ image: "a", labels: "x y" }])).toMatch(/each one is taken whole/);
  });

  test.each<[string, readonly Cells[], ColumnOptions, RegExp]>([
    ["no image", [{ picture: "a", label: "b" }], {}, /requires a column with the paths of images.*has picture, label/],
    ["no target", [{ image: "a", text: "b" }], {}, /requires a column label or labels, or columns of numbers/],
    ["two labels", [{ image: "a", label: "x", labels: "y" }], {}, /Say which one counts with labelColumn/],
    ["a column that is not there", [{ image: "a", label: "x" }], { labelColumn: "lable" }, /Closest columns: "label"/],
    ["targets of text", [{ image: "a", x: "text" }], { targets: ["x"] }, /columns of numbers, "x" has none/],
    ["targets with decimal commas", [{ image: "a", x: "1,5" }], { targets: ["x"] }, /"x" has none.*a decimal comma/],
    ["numbers with decimal commas", [{ image: "a", x: "1,5" }], {}, /numbers of x have a decimal comma/],
    ["targets twice", [{ image: "a", x: "1" }], { targets: ["x", "x"] }, /got "x" twice/],
    ["no targets", [{ image: "a", x: "1" }], { targets: [] }, /at least one column/],
    ["targets and label", [{ image: "a", x: "1" }], { targets: ["x"], labelColumn: "x" }, /Leave one of them out/],
    [
      "classes of other numbers",
      [{ image: "a", x: "1", y: "2" }],
      { task: "multi-label", targets: ["x", "y"] },
      /columns of 0 and 1, but y holds/,
    ],
  ])("is refused: %s", async (_what, rows, options, message) => {
    await expect(choose(rows, options)).rejects.toThrow(message);
  });
});

test("columns of other uses are found by name or option", async () => {
  const rows = [{ Image: "a", label: "x", Split: "train", GROUP: "p", weight: "1", site: "q" }];
  expect(await choose(rows)).toMatchObject({ image: "Image", split: "Split", group: "GROUP", weight: "weight" });
  expect(await choose(rows, { groupColumn: "site" })).toMatchObject({ group: "site" });
});
