import { describe, expect, test } from "vitest";
import { searchLine } from "../../../src/train/probe/line-search.ts";
import type { Ray } from "../../../src/train/probe/minimize.ts";

/** Convex functions of the step with their minimum at `best`. */
const rays: Record<string, (best: number) => Ray> = {
  parabola: (best) => (t) => ({ value: (t - best) ** 2, slope: 2 * (t - best) }),
  quartic: (best) => (t) => ({ value: (t - best) ** 4, slope: 4 * (t - best) ** 3 }),
  "softplus of two sides": (best) => (t) => {
    const u = t - best;
    return { value: 2 * Math.log(Math.cosh(u)), slope: 2 * Math.tanh(u) };
  },
  hyperbola: (best) => (t) => ({ value: Math.hypot(t - best, 0.01), slope: (t - best) / Math.hypot(t - best, 0.01) }),
};

describe.each(Object.entries(rays))("%s", (_, make) => {
  test.each([1e-4, 0.1, 0.9, 1, 3, 50])("with the minimum at %d meets the strong Wolfe conditions", (best) => {
    const ray = make(best);
    const start = ray(0);
    let last = Number.NaN;
    const step = searchLine((t) => {
      last = t;
      return ray(t);
    }, start)!;
    expect(step).toBeGreaterThan(0);
    expect(last).toBe(step);
    expect(ray(step).value).toBeLessThanOrEqual(start.value + 1e-4 * step * start.slope + 1e-12);
    expect(Math.abs(ray(step).slope)).toBeLessThanOrEqual(-0.5 * start.slope);
  });
});

test("steps back from where the function is no number", () => {
  const ray: Ray = (t) =>
    t > 0.3 ? { value: Infinity, slope: Infinity } : { value: (t - 0.2) ** 2, slope: 2 * (t - 0.2) };
  const step = searchLine(ray, ray(0))!;
  expect(step).toBeGreaterThan(0.1);
  expect(step).toBeLessThanOrEqual(0.3);
});

test("ends where there is no such step", () => {
  expect(searchLine((t) => ({ value: -t, slope: -1 }), { value: 0, slope: -1 })).toBeUndefined();
  expect(searchLine(() => ({ value: Number.NaN, slope: Number.NaN }), { value: 0, slope: -1 })).toBeUndefined();
});
