import { expect, test } from "vitest";
import type { Parameters } from "../../src/models/head.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import type { KeptEpoch } from "../../src/train/kept-epoch.ts";
import { greedySoup } from "../../src/train/soup.ts";

const parametersOf = (x: number, y: number): Parameters =>
  new Map([
    ["x", float32([], [x])],
    ["y", float32([2], [y, -y])],
  ]);

/** Where validation is best: the loss of parameters is their distance from (5, 5). */
const distance = (parameters: Parameters): number => {
  const [x, y] = [parameters.get("x")!.data[0]!, parameters.get("y")!.data[0]!];
  return Math.hypot(x - 5, y - 5);
};

/** Makes the soup of points, best first; says what was measured on the way and held in the end. */
async function soup(points: readonly (readonly [number, number])[], { sign = 1, loss = distance } = {}) {
  let held: Parameters = new Map();
  const looked: Parameters[] = [];
  const kept = points.map(([x, y], i): KeptEpoch => {
    const parameters = parametersOf(x, y);
    return { epoch: 10 - i, value: sign * loss(parameters), parameters };
  });
  const result = await greedySoup({
    step: {
      restore: async (parameters) => {
        held = parameters;
      },
    },
    validate: async () => {
      looked.push(held);
      return { measure: sign * loss(held), other: 0 };
    },
    monitor: { measure: "measure", mode: sign === 1 ? "min" : "max" },
    kept,
  });
  expect(held).toBe(result.parameters);
  return { ...result, looked, kept };
}

test("of one set nothing is measured, and it is held", async () => {
  const { parameters, averaged, looked, kept } = await soup([[4, 3]]);
  expect([parameters, averaged, looked]).toEqual([kept[0]!.parameters, 1, []]);
  expect(parameters).toBe(kept[0]!.parameters);
});

test.each([1, -1])("each set is added where the average of all is then better (sign %d)", async (sign) => {
  // The second lies on the other side of the best point, the third leads away, the fourth makes the average of three exact.
  const { parameters, averaged, looked } = await soup(
    [
      [5.5, 5.5],
      [5, 4],
      [9, 9],
      [4.5, 5.5],
    ],
    { sign },
  );
  expect(looked).toEqual([parametersOf(5.25, 4.75), parametersOf(6.5, 18.5 / 3), parametersOf(5, 5)]);
  expect([averaged, parameters]).toEqual([3, parametersOf(5, 5)]);
});

test("a set that makes it no better is left out, and the ones after it are tried without it", async () => {
  const { parameters, averaged, looked } = await soup([
    [5, 6],
    [5, 9],
    [5, 4.5],
  ]);
  expect(looked).toEqual([parametersOf(5, 7.5), parametersOf(5, 5.25)]);
  expect([averaged, parameters]).toEqual([2, parametersOf(5, 5.25)]);
});

test("what ties, or is no number, is left out: the best epoch stays as it is", async () => {
  const tie = await soup([
    [5, 6],
    [5, 6],
  ]);
  expect([tie.averaged, tie.parameters]).toEqual([1, tie.kept[0]!.parameters]);
  const broken = await soup(
    [
      [5, 6],
      [5, 4],
    ],
    { loss: (parameters) => (parameters.get("y")!.data[0] === 5 ? Number.NaN : distance(parameters)) },
  );
  expect(broken.averaged).toBe(1);
});

test("the sets themselves stay as they are", async () => {
  const { kept } = await soup([
    [5.5, 5.5],
    [4.5, 4.5],
  ]);
  expect(kept.map(({ parameters }) => parameters)).toEqual([parametersOf(5.5, 5.5), parametersOf(4.5, 4.5)]);
});
