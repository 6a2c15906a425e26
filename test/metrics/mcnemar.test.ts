import { expect, test } from "vitest";
import { mcnemar } from "../../src/metrics/mcnemar.ts";
import { GOLDEN } from "./golden.ts";

test.each(GOLDEN.mcnemar)(
  "$onlyA against $onlyB images is $pValue, as statsmodels says",
  ({ onlyA, onlyB, pValue }) => {
    expect(mcnemar(onlyA, onlyB)).toBeCloseTo(pValue, 10);
    expect(mcnemar(onlyB, onlyA)).toBeCloseTo(pValue, 10);
  },
);

test("says nothing where both are right on the same images", () => {
  expect(mcnemar(0, 0)).toBe(1);
  expect(mcnemar(0, 5000)).toBeLessThan(1e-300);
});
