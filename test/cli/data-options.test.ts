import { expect, test } from "vitest";
import { parseOptions } from "../../src/cli/arguments.ts";
import { dataOptions, datasetOptions, splitOptions } from "../../src/cli/data-options.ts";

const parsed = (...args: readonly string[]) =>
  Object.fromEntries(
    Object.entries(datasetOptions(parseOptions(args, { ...dataOptions, ...splitOptions }).options)).filter(
      ([, value]) => value !== undefined,
    ),
  );

test("nothing given asks for nothing", () => {
  expect(parsed()).toEqual({});
  expect(Object.values(datasetOptions(parseOptions([], dataOptions).options)).every((v) => v === undefined)).toBe(true);
});

test("options become those of openDataset", () => {
  const columns = ["--image-column", "f", "--label-column", "c", "--split-column", "s", "--group-column", "g"];
  expect(
    parsed("--task", "regression", "--targets", "a, b", "--images", "dir", ...columns, "--weight-column=w"),
  ).toEqual({
    ...{ task: "regression", targets: ["a", "b"], images: "dir", imageColumn: "f", labelColumn: "c" },
    ...{ splitColumn: "s", groupColumn: "g", weightColumn: "w" },
  });
  expect(parsed("--val", "0.25", "--test", "0.1", "--folds", "5", "--fold", "2")).toEqual({
    ...{ validation: 0.25, test: 0.1, folds: 5, fold: 2 },
  });
  expect(parsed("--val", "held", "--splits", "runs/x", "--classes", "b,a", "--no-follow-links")).toEqual({
    ...{ validation: "held", splits: "runs/x", classes: ["b", "a"], followLinks: false },
  });
  expect(parsed("--label-separator", " ")).toEqual({ labelSeparator: " " });
});

test("--group-by finds the group of a path", () => {
  const groupOf = (pattern: string, path: string) =>
    datasetOptions(parseOptions(["--group-by", pattern], dataOptions).options).groupOf?.(path);
  expect(groupOf("patient\\d+", "sick/patient12_3.png")).toBe("patient12");
  expect(groupOf("/(\\w+?)_|(z)", "sick/ab_3.png")).toBe("ab");
  expect(groupOf("patient\\d+", "sick/3.png")).toBeUndefined();
});

test.each([
  ["--val", "1.5", /--val requires a folder, a table, or a fraction/],
  ["--test", "held", /--test requires a fraction between 0 and 1 such as 0.1, got "held"/],
  ["--targets", "a,,b", /--targets requires names between commas/],
  ["--group-by", "(", /--group-by requires a regular expression/],
  ["--task", "other", /--task requires one of/],
  ["--folds", "1", /--folds requires a whole number from 2/],
])("refuses %s %s", (name, value, message) => {
  expect(() => parsed(name, value)).toThrow(message);
});
