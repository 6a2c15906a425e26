import { describe, expect, test } from "vitest";
import { bestOf, pointPath, searchPenalties } from "../../../src/train/probe/penalties.ts";

/** A validation loss that is smallest at this exponent of ten. */
const valley = (exponent: number) => async (penalty: number) => ({
  penalty,
  validationLoss: 1 + Math.abs(Math.log10(penalty) - exponent),
});

const exponents = (tried: readonly { readonly penalty: number }[]): number[] =>
  tried.map(({ penalty }) => Number(Math.log10(penalty).toFixed(4)));

describe("searchPenalties", () => {
  test("goes from strong to weak, a decade past the best, and looks closer there", async () => {
    const tried = await searchPenalties(valley(0.2));
    expect(exponents(tried)).toEqual([2, 1.5, 1, 0.5, 0, -0.5, -1, 0.25, -0.25]);
    expect(bestOf(tried)).toBe(tried[7]);
  });

  test("ends at the ends of the path", async () => {
    expect(exponents(await searchPenalties(valley(9)))).toEqual([2, 1.5, 1, 2.25, 1.75]);
    const tried = exponents(await searchPenalties(valley(-9)));
    expect(tried.slice(-3)).toEqual([-5, -4.75, -5.25]);
    expect(tried).toHaveLength(17);
  });

  test("goes past one rise", async () => {
    const bumpy = async (penalty: number) => ({
      penalty,
      validationLoss: (await valley(-1)(penalty)).validationLoss + (Math.abs(Math.log10(penalty) - 1) < 0.1 ? 1 : 0),
    });
    expect(exponents([bestOf(await searchPenalties(bumpy))])).toEqual([-1]);
  });

  test("tries given penalties only, the strongest first", async () => {
    expect((await searchPenalties(valley(0), [0.1, 10, 1])).map(({ penalty }) => penalty)).toEqual([10, 1, 0.1]);
    await expect(searchPenalties(valley(0), [Number.NaN])).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });
});

test("of equal losses takes that of the strongest penalty", () => {
  const tried = [1, 100, 10].map((penalty) => ({ penalty, validationLoss: 2 }));
  expect(bestOf(tried)).toBe(tried[1]);
});

test("predicts points on the line through the nearest two", () => {
  const path = pointPath();
  expect(path.predict(1)).toBeUndefined();
  path.add(100, Float64Array.of(50));
  expect(path.predict(1)).toEqual(Float64Array.of(50));
  path.add(10, Float64Array.of(1, 10));
  path.add(1, Float64Array.of(2, 30));
  expect(path.predict(0.1)).toEqual(Float64Array.of(3, 50));
  expect(path.predict(Math.sqrt(10))).toEqual(Float64Array.of(1.5, 20));
  expect(path.predict(1)).toEqual(Float64Array.of(2, 30));
});
