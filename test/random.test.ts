import { describe, expect, test } from "vitest";
import { type Rng, rng, shuffle } from "../src/random.ts";

function draw(source: Rng, count: number): number[] {
  return Array.from({ length: count }, () => source.next());
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const sum = a.reduce((total, value, i) => total + (value - 0.5) * (b[i]! - 0.5), 0);
  return (12 * sum) / a.length; // the variance of a uniform number is 1 / 12
}

describe("rng", () => {
  // Computed by a second implementation, in Python with 32-bit arithmetic spelled out.
  test.each([
    [0, [1089875287, 441428300, 3933448654, 975830231]],
    [7, [3213699310, 2382730910, 1370652804, 3387010276]],
    ["rootstock", [4135130364, 952944799, 1791682667, 3188441785]],
  ])("gives the frozen numbers of seed %s", (seed, expected) => {
    expect(draw(rng(seed), 4).map((value) => value * 2 ** 32)).toEqual(expected);
  });

  test("gives equal sequences for equal seeds and others for neighboring seeds", () => {
    expect(draw(rng(3), 100)).toEqual(draw(rng(3), 100));
    expect(draw(rng(3), 100)).toEqual(draw(rng("3"), 100));
    const firsts = Array.from({ length: 1000 }, (_, seed) => rng(seed).next());
    expect(new Set(firsts).size).toBe(1000);
  });

  test("is uniform in [0, 1)", () => {
    const counts = new Array<number>(100).fill(0);
    const values = draw(rng("uniform"), 100_000);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    for (const value of values) counts[Math.floor(value * 100)]! += 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeGreaterThan(55); // 99 degrees of freedom: 0.01 % and 99.99 %
    expect(chiSquare).toBeLessThan(157);
  });

  test("sets every bit half the time", () => {
    const ones = new Array<number>(32).fill(0);
    for (const value of draw(rng("bits"), 20_000)) {
      const bits = value * 2 ** 32;
      for (let bit = 0; bit < 32; bit++) ones[bit]! += Math.floor(bits / 2 ** bit) % 2;
    }
    for (const count of ones) expect(Math.abs(count / 20_000 - 0.5)).toBeLessThan(0.016); // 4.5 standard deviations
  });

  test("does not repeat itself from one number to the next", () => {
    const values = draw(rng("serial"), 20_001);
    expect(Math.abs(correlation(values.slice(0, -1), values.slice(1)))).toBeLessThan(0.03);
  });
});

describe("normal", () => {
  test("is the transform of Box and Muller of the next two numbers", () => {
    const [first, second] = draw(rng(7), 2);
    const expected = Math.sqrt(-2 * Math.log(1 - first!)) * Math.cos(2 * Math.PI * second!);
    expect(rng(7).normal()).toBe(expected);
  });

  test("has the moments and tails of the standard normal distribution", () => {
    const source = rng("normal");
    const values = Array.from({ length: 50_000 }, () => source.normal());
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    expect(values.every(Number.isFinite)).toBe(true);
    expect(moment(1)).toBeCloseTo(0, 1);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03);
    expect(Math.abs(moment(3))).toBeLessThan(0.06);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
    const inside = values.filter((value) => Math.abs(value) < 1.96).length / values.length;
    expect(Math.abs(inside - 0.95)).toBeLessThan(0.005);
  });
});

describe("fork", () => {
  test("gives the frozen numbers of a path of names", () => {
    const source = rng(7).fork("data").fork("x");
    expect(draw(source, 4).map((value) => value * 2 ** 32)).toEqual([1065199639, 508995034, 1633363786, 4213314785]);
  });

  test("does not depend on what was drawn before, and draws nothing itself", () => {
    const source = rng(5);
    const early = draw(source.fork("a"), 10);
    const [first] = draw(source, 1);
    source.normal();
    expect(draw(source.fork("a"), 10)).toEqual(early);
    expect(first).toBe(rng(5).next());
  });

  test("gives sources that are independent of each other and of their parent", () => {
    const count = 20_000;
    const sources = [rng(5), rng(5).fork("a"), rng(5).fork("b"), rng(5).fork("a").fork("a"), rng(6).fork("a")];
    const sequences = sources.map((source) => draw(source, count));
    for (const [i, one] of sequences.entries()) {
      for (const other of sequences.slice(i + 1)) expect(Math.abs(correlation(one, other))).toBeLessThan(0.03);
    }
  });

  test("gives first numbers that are uniform over names that count up", () => {
    const source = rng(1);
    const counts = new Array<number>(20).fill(0);
    for (let i = 0; i < 20_000; i++) counts[Math.floor(source.fork(`sample/${i}`).next() * 20)]! += 1;
    const chiSquare = counts.reduce((sum, value) => sum + (value - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(51); // 19 degrees of freedom: 99.99 %
  });
});

describe("shuffle", () => {
  test("returns the same array with the same items", () => {
    const items = Int32Array.from({ length: 1000 }, (_, i) => i);
    const shuffled = shuffle(items, rng(1));
    expect(shuffled).toBe(items);
    expect(shuffled).not.toEqual(Int32Array.from({ length: 1000 }, (_, i) => i));
    expect(shuffled.toSorted()).toEqual(Int32Array.from({ length: 1000 }, (_, i) => i));
  });

  test("gives the frozen order of a seed", () => {
    expect(shuffle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], rng(7))).toEqual([0, 9, 3, 8, 1, 6, 5, 2, 4, 7]);
  });

  test("leaves nothing and one item as they are", () => {
    expect(shuffle([], rng(1))).toEqual([]);
    expect(shuffle(["only"], rng(1))).toEqual(["only"]);
  });

  test("gives every order equally often", () => {
    const counts = new Map<string, number>();
    const source = rng("orders");
    for (let round = 0; round < 24_000; round++) {
      const order = shuffle([0, 1, 2, 3], source).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(57); // 23 degrees of freedom: 99.99 %
  });
});
