import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  glorotUniform,
  type Initializer,
  initialize,
  kaimingNormal,
  truncatedNormal,
} from "../../../src/models/architectures/initializers.ts";
import { ARCHITECTURES, type ArchitectureName } from "../../../src/models/architectures/table.ts";
import { sizeOf } from "../../../src/tensor/tensor.ts";

/** Mean and deviation "m,d" of each tensor of fresh torchvision models, as make_initial.py found them. */
const { models } = JSON.parse(
  readFileSync(new URL("../../golden/architectures/initial.json", import.meta.url), "utf8"),
) as { models: Record<ArchitectureName, string> }; // as it was written

const filled = (init: Initializer, size = 20_000) => initialize([{ name: "a", shape: [size], init }], 1).get("a")!.data;

function moments(data: Float32Array): { mean: number; deviation: number } {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  return { mean, deviation: Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length) };
}

/** The deviation of an initializer's distribution, truncation left aside. */
function deviationOf(init: Initializer): number {
  if (init.kind === "constant") return 0;
  return init.kind === "uniform" ? init.bound / Math.sqrt(3) : init.deviation;
}

test.each(Object.keys(models) as ArchitectureName[])("%s starts as torchvision's does", (name) => {
  const { parameters } = ARCHITECTURES[name].build();
  const rows = models[name].split(" ").map((row) => row.split(",").map(Number) as [number, number]);
  expect(rows.length).toBe(parameters.length);
  const wrong = parameters.filter(({ init, shape }, i) => {
    const [mean, deviation] = rows[i]!;
    const expected = deviationOf(init);
    // Five standard errors of a deviation and of a mean over that many elements.
    const error = 5 / Math.sqrt(sizeOf(shape));
    const center = init.kind === "constant" ? init.value : 0;
    return !(
      Math.abs(deviation - expected) <= (error + 0.01) * expected && Math.abs(mean - center) <= error * expected
    );
  });
  expect(wrong.map((spec) => spec.name)).toEqual([]);
});

describe("values", () => {
  test("are those of their distribution", () => {
    expect(filled({ kind: "constant", value: 0.25 }).every((value) => value === 0.25)).toBe(true);
    const uniform = filled({ kind: "uniform", bound: 0.5 });
    expect(moments(uniform).deviation).toBeCloseTo(0.5 / Math.sqrt(3), 2);
    expect(Math.max(...uniform)).toBeLessThan(0.5);
    expect(Math.min(...uniform)).toBeLessThan(-0.49);
    const { mean, deviation } = moments(filled({ kind: "normal", deviation: 2 }));
    expect([Math.abs(mean) < 0.06, Math.abs(deviation - 2) < 0.06]).toEqual([true, true]);
    const cut = filled({ kind: "truncated-normal", deviation: 1, limit: 1 });
    expect(Math.max(...cut.map(Math.abs))).toBeLessThanOrEqual(1);
    expect(moments(cut).deviation).toBeCloseTo(0.54, 1); // of a normal distribution cut at one deviation
  });

  test("depend on the seed and the name, not on what else is drawn", () => {
    const init: Initializer = { kind: "normal", deviation: 1 };
    const [a, b] = ["a", "b"].map((name) => ({ name, shape: [4], init }));
    const both = initialize([a!, b!], 7);
    expect(both.get("b")).toEqual(initialize([b!], 7).get("b"));
    expect(both.get("b")).not.toEqual(both.get("a"));
    expect(both.get("a")).not.toEqual(initialize([a!], 8).get("a"));
  });
});

test("schemes count what flows in and out", () => {
  expect(kaimingNormal("out")({ in: 8, out: 2 })).toEqual({ kind: "normal", deviation: 1 });
  expect(kaimingNormal("in")({ in: 8, out: 2 })).toEqual({ kind: "normal", deviation: 0.5 });
  expect(glorotUniform({ in: 4, out: 2 })).toEqual({ kind: "uniform", bound: 1 });
  expect(truncatedNormal(0.02)({ in: 1, out: 1 })).toEqual({ kind: "truncated-normal", deviation: 0.02, limit: 2 });
});
