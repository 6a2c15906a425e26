import { describe, expect, test } from "vitest";
import { checkSplitOptions } from "../../../src/data/splits/split-options.ts";

describe("checkSplitOptions", () => {
  test.each([
    [{ validation: 0 }, /validation requires a fraction between 0 and 1/],
    [{ test: 1 }, /test requires a fraction between 0 and 1/],
    [{ validation: 0.6, test: 0.4 }, /less than 1 together/],
    [{ test: 0.9 }, /less than 1 together, got 0.2 and 0.9/],
    [{ folds: 1 }, /folds requires a whole number from 2/],
    [{ fold: 0 }, /fold requires folds/],
    [{ folds: 3, fold: 3 }, /fold requires a whole number from 0 to 2, got 3/],
    [{ folds: 3, validation: 0.2 }, /validation must not be given with folds/],
    [{ splits: "r", folds: 3 }, /folds must not be given with splits/],
    [{ splits: "r", validation: "v" }, /validation must not be given with splits/],
    [{ test: 0.1, validation: "v" }, /test requires data without splits/],
    [{ purpose: "evaluate", test: 0.1 }, /test requires the purpose "train"/],
    [{ seed: 0.5 }, /seed requires a whole number/],
  ] as const)("refuses %j", (options, message) => {
    expect(() => checkSplitOptions(options)).toThrow(message);
  });

  test("accepts what goes together", () => {
    for (const options of [
      {},
      { validation: 0.2, test: 0.2 },
      { folds: 5, fold: 4 },
      { purpose: "evaluate", splits: "r" },
    ] as const)
      expect(() => checkSplitOptions(options)).not.toThrow();
  });
});
