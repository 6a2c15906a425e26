import { expect, test } from "vitest";
import { jsonRow } from "../../../src/data/tables/json-row.ts";

test("gives the values of an object by name, also of names that objects have", () => {
  const row = jsonRow('{"__proto__":1,"toString":"x","list":[1,"a"]}', 7);
  expect(row.line).toBe(7);
  expect("cells" in row && [...row.cells]).toEqual([
    ["__proto__", 1],
    ["toString", "x"],
    ["list", [1, "a"]],
  ]);
});

test.each([
  ["null", "is a single value"],
  ['"a"', "is a single value"],
  ["[]", "is a list"],
  ["[{", "is no JSON object"],
  ["{'a':1}", "is no JSON"],
  ['{"a": NaN}', "with null for NaN and Infinity"],
  [`${"[".repeat(500_000)}`, "nested more than 16 deep"],
  [`{"a":${"[".repeat(16)}${"]".repeat(16)}}`, "nested more than 16 deep"],
])("says what is wrong with %.30s", (text, problem) => {
  const row = jsonRow(text, 1);
  expect("problem" in row && row.problem).toContain(problem);
});

test("brackets and quotes in texts nest nothing", () => {
  expect(jsonRow(JSON.stringify({ a: `${"[{".repeat(50)}"\\` }), 1)).toHaveProperty("cells");
});
