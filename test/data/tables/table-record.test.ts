import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { Columns } from "../../../src/data/tables/table-columns.ts";
import { type Places, recordReader } from "../../../src/data/tables/table-record.ts";
import type { Json } from "../../../src/json.ts";

const columns: Columns = {
  ...{ task: "single-label", image: "image", target: { kind: "label", column: "label" }, notes: [] },
  ...{ split: undefined, group: undefined, weight: undefined },
};
const record = (
  cells: Readonly<Record<string, Json>>,
  some: Partial<Columns> = {},
  places: Places = { images: "photos", root: "photos" },
  exists: (file: string) => boolean = () => true,
) => recordReader({ ...columns, ...some }, places, exists)({ line: 2, cells: new Map(Object.entries(cells)) });

describe("paths", () => {
  test.each([
    ["a.jpg", "photos/a.jpg", "a.jpg"],
    ["./x//../a.jpg", "photos/a.jpg", "a.jpg"],
    ["../a.jpg", "a.jpg", "../a.jpg"],
    [" a.jpg ", "photos/ a.jpg ", " a.jpg "],
    ["cafe\u0301.jpg", "photos/cafe\u0301.jpg", "cafe\u0301.jpg"],
    [resolve("photos/b/a.jpg"), resolve("photos/b/a.jpg"), "b/a.jpg"],
    [resolve("a.jpg"), resolve("a.jpg"), "../a.jpg"],
  ])("%s", (image, file, path) => {
    expect(record({ image, label: "x" })).toMatchObject({ file, path });
  });

  test("of another folder are relative to the root, too", () => {
    const places = { images: "held", root: "photos" };
    expect(record({ image: "a.jpg", label: "x" }, {}, places)).toMatchObject({
      file: join("held", "a.jpg"),
      path: "../held/a.jpg",
    });
  });

  test.skipIf(process.platform === "win32")(
    "with backslashes are taken literally only where there is such a file",
    () => {
      const cells = { image: "x\\a.jpg", label: "x" };
      expect(record(cells)).toMatchObject({ path: "x\\a.jpg" });
      expect(record(cells, {}, undefined, () => false)).toMatchObject({ file: "photos/x/a.jpg", path: "x/a.jpg" });
    },
  );

  test("with spaces around them are taken literally only where there is such a file", () => {
    expect(record({ image: " a.jpg ", label: "x" }, {}, undefined, () => false)).toMatchObject({ path: "a.jpg" });
  });

  test("that are none are named", () => {
    for (const [image, problem] of [
      ["", "names no image"],
      [["a"], "names no image"],
      ["s3://bucket/a.jpg", /names a web address, "s3:\/\/bucket/],
      ["a\0b", "zero character"],
    ] as const) {
      const expected = expect.stringMatching(problem);
      expect(record({ image, label: "x" })).toMatchObject({ file: undefined, problem: expected });
    }
  });
});

test("labels are trimmed and in one Unicode form; values that are no names are refused", () => {
  const label = (value: Json, some?: Partial<Columns>) => record({ image: "a", label: value }, some);
  expect(label(" cafe\u0301 ")).toMatchObject({ labels: ["caf\u00e9"] });
  expect(label(3)).toMatchObject({ labels: ["3"] });
  expect(label(["x"])).toMatchObject({ labels: ["x"] });
  expect(label(["x", "y"])).toMatchObject({ problem: "has several labels where one is required" });
  for (const none of ["", " ", null, {}, []]) expect(label(none)).toMatchObject({ problem: "has no label" });
  const several: Partial<Columns> = { target: { kind: "labels", column: "label", separator: ";" } };
  expect(label(" x; y;;x", several)).toMatchObject({ labels: ["x", "y"] });
  expect(label("", several)).toMatchObject({ labels: [] });
  expect(label(null, several)).toMatchObject({ problem: "has no labels" });
  expect(label([{}], several)).toMatchObject({ problem: "has labels that are no texts" });
});

test("columns of 0 and 1 hold nothing else, and long cells are shortened in messages", () => {
  const target = { kind: "indicators", columns: ["x", "y"] } as const;
  expect(record({ image: "a", x: "1", y: 0 }, { target })).toMatchObject({ labels: ["x"], values: [] });
  expect(record({ image: "a", x: "2", y: 0 }, { target })).toMatchObject({
    problem: 'has 2 for "x", where 0 or 1 is required',
  });
  const long = record({ image: "a", x: "n".repeat(10_000), y: 0 }, { target });
  expect("problem" in long && long.problem.length).toBeLessThan(150);
});

test.each([
  ["train", "train, TRAINING"],
  ["validation", "val, Valid, validation, VALIDATE, dev, development, eval, Evaluation"],
  ["test", "test, Testing, holdout, hold-out, Held-Out"],
])("the split %s is written in many ways", (split, words) => {
  for (const word of words.split(", "))
    expect(record({ image: "a.jpg", label: "x", s: ` ${word} ` }, { split: "s" })).toMatchObject({ split });
});

test("weights that single precision cannot hold are refused", () => {
  const weight = (w: Json): unknown => record({ image: "a.jpg", label: "x", w }, { weight: "w" });
  expect(weight("1e-30")).toMatchObject({ weight: 1e-30 });
  for (const bad of ["1e-50", 1e-31, "1e31", "0", "-1"])
    expect(weight(bad)).toMatchObject({ problem: expect.stringMatching(/^has the weight /) });
});
