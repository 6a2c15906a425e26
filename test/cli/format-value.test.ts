import { expect, test } from "vitest";
import { formatValue } from "../../src/cli/format-value.ts";

test("numbers have four significant digits and no more signs than they need", () => {
  expect([0.123456, 27, 12345.6, -1.5, 0, -0, 1e-7, 123456e6].map(formatValue)).toEqual([
    "0.1235",
    "27",
    "12350",
    "-1.5",
    "0",
    "0",
    "1e-7",
    "123500000000",
  ]);
});
