import { expect, test } from "vitest";
import { percent, untold } from "../../../src/train/check/feature-finding.ts";

test("a check that could not be made has a reason and no findings", () => {
  expect(untold("Too few images.")).toEqual({ findings: [], measured: [], untold: ["Too few images."] });
});

test("shares are whole percentages", () => {
  expect([0, 0.126, 1].map(percent)).toEqual(["0 %", "13 %", "100 %"]);
});
