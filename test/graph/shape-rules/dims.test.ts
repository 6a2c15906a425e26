import { describe, expect, test } from "vitest";
import type { Dim } from "../../../src/graph/graph.ts";
import { dimAlgebra } from "../../../src/graph/shape-rules/dims.ts";

describe("formulas", () => {
  const { add, sub, mul, divideExact, floorDivide, ceilDivide, product } = dimAlgebra(["a", "b"]);
  test.each([
    ["numbers", add(2, mul(3, 4)), 14],
    ["sums", add("b", add("a", 2)), "a + b + 2"],
    ["differences that cancel", sub(add("a", 2), "a"), 2],
    ["zero", sub("a", "a"), 0],
    ["negative terms", sub(3, mul(2, "a")), "-2*a + 3"],
    ["products", product([2, "a", "b", 3]), "6*a*b"],
    ["expanded products", mul(add("a", 1), sub("a", 1)), "a*a - 1"],
    ["exact quotients", divideExact(mul(12, "a"), 4), "3*a"],
    ["quotients by names", divideExact(product(["a", "b", 7]), "a"), "7*b"],
    ["quotients by sums", divideExact(sub(mul("a", "a"), 1), add("a", 1)), "a - 1"],
    ["what does not divide", divideExact("a", 2), undefined],
    ["division by zero", divideExact("a", 0), undefined],
    ["zero divided", divideExact(0, "a"), 0],
    ["rounding down", floorDivide(sub("a", 1), 2), "floor((a + 1)/2) - 1"],
    ["rounding up", ceilDivide("a", 2), "floor((a + 1)/2)"],
    ["nested rounding", floorDivide(floorDivide(floorDivide("a", 2)!, 3)!, 4), "floor(a/24)"],
    ["nested rounding with offsets", ceilDivide(ceilDivide("a", 2)!, 2), "floor((a + 3)/4)"],
    ["division by a name", floorDivide("a", "b"), undefined],
    ["division by nothing", floorDivide("a", 0), undefined],
  ] as [string, Dim | undefined, Dim | undefined][])("%s", (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});

test("any formula stands for the number that the operations give, and equal formulas have equal names", () => {
  const dims = dimAlgebra(["a", "b"]);
  const values = { a: 37, b: 5 };
  let seed = 1;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed >>> 8) % n;
  };
  const pool: [Dim, number][] = [
    ["a", values.a],
    ["b", values.b],
    [1, 1],
    [3, 3],
  ];
  for (let i = 0; i < 300; i++) {
    const [[x, xValue], [y, yValue]] = [pool[random(pool.length)]!, pool[random(pool.length)]!];
    const divisor = 1 + random(5);
    const results: [Dim | undefined, number][] = [
      [dims.add(x, y), xValue + yValue],
      [dims.sub(x, y), xValue - yValue],
      [dims.floorDivide(x, divisor), Math.floor(xValue / divisor)],
      [dims.ceilDivide(x, divisor), Math.ceil(xValue / divisor)],
      [dims.divideExact(x, y), xValue / yValue],
      ...(Math.abs(xValue * yValue) < 1e6 ? [[dims.mul(x, y), xValue * yValue] as [Dim, number]] : []),
    ];
    for (const [formula, value] of results) {
      if (formula === undefined) continue;
      expect(evaluate(formula, values), String(formula)).toBe(value + 0);
      if (String(formula).length < 60 && pool.length < 60) pool.push([formula, value]);
    }
    expect(dims.add(x, y)).toBe(dims.add(y, x));
    expect(dims.mul(x, y)).toBe(dims.mul(y, x));
  }
});

function evaluate(formula: Dim, values: Readonly<Record<string, number>>): number {
  const text = String(formula)
    .replaceAll("floor", "Math.floor")
    .replaceAll(/\b[ab]\b/g, (name) => String(values[name]));
  return Number(new Function(`return ${text}`)()) + 0;
}

describe("names", () => {
  test("fresh names differ from each other and from those of the graph", () => {
    const dims = dimAlgebra(["y.0"]);
    expect([dims.fresh("y.0"), dims.fresh("y.0"), dims.fresh("z")]).toEqual(["y.0_1", "y.0_2", "z"]);
  });

  test("a formula never takes the name of a dimension that the graph has", () => {
    const dims = dimAlgebra(["a", "2*a"]);
    expect(dims.mul(2, "a")).toBe("2*a_1");
    expect(dims.mul("a", 2)).toBe("2*a_1");
  });

  test("a product of many sums stays small, and has one name", () => {
    const dims = dimAlgebra();
    const product = () => dims.product(Array.from({ length: 26 }, (_, i) => dims.add(`n${i}`, 1)));
    expect(String(product()).length).toBeLessThan(1000);
    expect(product()).toBe(product());
  });

  test("a square of a square, and so on, stays small, also when halved", () => {
    const dims = dimAlgebra(["n"]);
    let [power, halves]: (Dim | undefined)[] = ["n", "n"];
    for (let i = 0; i < 60; i++) {
      power = dims.mul(power!, power!);
      halves = dims.floorDivide(dims.mul(dims.add(halves!, 1), halves!), 2);
    }
    expect(String(power).length).toBeLessThan(1000);
    expect(String(halves).length).toBeLessThan(20_000);
  });

  test("a formula of many terms gets a short name, once", () => {
    const dims = dimAlgebra();
    const long = Array.from("abcdefghijklmnop").reduce<Dim>((sum, name) => dims.add(sum, name), 0);
    expect(long).toMatch(/^size/);
    expect(dims.sub(long, "p")).not.toBe(long);
    expect(dims.sub(dims.add(long, 1), 1)).toBe(long);
  });
});
