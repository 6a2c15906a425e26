import { expect, test } from "vitest";
import { dot, minimize, type Objective, withPair } from "../../../src/train/probe/minimize.ts";

/** sum c (x - 1)^2 / 2 + (x - 1)^4 / 4 over coordinates of very different curvature c. */
function bowl(size: number, goal: number) {
  const c = Float64Array.from({ length: size }, (_, i) => 10 ** (i % 5));
  const value = (x: Float64Array): number =>
    x.reduce((sum, v, i) => sum + (c[i]! * (v - 1) ** 2) / 2 + (v - 1) ** 4 / 4, 0);
  const slopes = (x: Float64Array): Float64Array => x.map((v, i) => c[i]! * (v - 1) + (v - 1) ** 3);
  const point = new Float64Array(size);
  const gradient = slopes(point);
  let direction: Float64Array = point;
  const objective: Objective = {
    point,
    gradient,
    get value() {
      return value(point);
    },
    goal: () => goal,
    along: async (chosen) => {
      direction = chosen;
      return (step) => {
        const x = point.map((v, i) => v + step * chosen[i]!);
        return { value: value(x), slope: dot(slopes(x), chosen) };
      };
    },
    move: async (step) => {
      for (const [i, v] of direction.entries()) point[i]! += step * v;
      gradient.set(slopes(point));
    },
  };
  return objective;
}

test("finds the minimum of a badly scaled function", async () => {
  const objective = bowl(23, 1e-9);
  const { converged, iterations } = await minimize(objective, { maxIterations: 200 });
  expect(converged).toBe(true);
  expect(iterations).toBeLessThan(60); // steepest descent takes tens of thousands
  for (const x of objective.point) expect(x).toBeCloseTo(1, 9);
});

test("goes on with what it knows of the curvature", async () => {
  const first = await minimize(bowl(23, 1e-9), { maxIterations: 200 });
  const fresh = await minimize(bowl(23, 1e-4), { maxIterations: 200 });
  const warm = await minimize(bowl(23, 1e-4), { maxIterations: 200, pairs: first.pairs });
  expect(warm.converged).toBe(true);
  expect(warm.iterations).toBeLessThan(fresh.iterations);
});

test("says that it has not converged", async () => {
  expect(await minimize(bowl(23, 1e-9), { maxIterations: 3 })).toMatchObject({ converged: false, iterations: 3 });
  // No gradient is as small as nothing: rounding ends the search.
  const { converged, iterations } = await minimize(bowl(23, -1), { maxIterations: 10000 });
  expect(converged).toBe(false);
  expect(iterations).toBeLessThan(10000);
});

test("can be ended before any iteration", async () => {
  const check = () => {
    throw new Error("stop");
  };
  await expect(minimize(bowl(5, 1e-9), { maxIterations: 3, check })).rejects.toThrow("stop");
});

test("keeps the last pairs, and only of curved steps", () => {
  const pair = (x: number) => [Float64Array.of(1), Float64Array.of(x)] as const;
  const many = Array.from({ length: 15 }, (_, i) => pair(i + 1)).reduce<ReturnType<typeof withPair>>(
    (pairs, [step, change]) => withPair(pairs, step, change),
    [],
  );
  expect(many.map(({ inverse }) => 1 / inverse)).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  expect(withPair(many, ...pair(-1))).toBe(many);
});

test("adds all products", () => {
  for (const length of [0, 1, 3, 4, 7, 8]) {
    const x = Float64Array.from({ length }, (_, i) => i + 1);
    expect(dot(x, x)).toBe((length * (length + 1) * (2 * length + 1)) / 6);
  }
});
