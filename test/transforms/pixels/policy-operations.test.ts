import { describe, expect, test } from "vitest";
import {
  isGeometricOperation,
  operationSpace,
  POLICY_OPERATIONS,
} from "../../../src/transforms/pixels/policy-operations.ts";
import { difference, policies, spaces } from "./color-golden.ts";
import { scene } from "./scene.ts";

const image = scene();
const how = { interpolation: "nearest", fill: "constant", value: 0 } as const;

/**
 * The share of pixels that may differ from torchvision's, by any amount; all other operations are equal bit for bit.
 * Pillow has positions in fixed point of 16 bits: some that lie on the border between two pixels fall to the other side.
 */
const TOLERATED: Readonly<Record<string, number>> = {
  "shear-x -0.04": 0.05, // two rows lie on the border as a whole
  "shear-y -0.04": 0.05,
  "rotate -135": 0.025,
};

describe("equals torchvision's _apply_op on PIL images", () => {
  test.each(policies.operations)("$name $magnitude", ({ name, magnitude, ...recorded }) => {
    const { share } = difference(POLICY_OPERATIONS[name](image, magnitude, how), recorded);
    const tolerated = TOLERATED[`${name} ${Number(magnitude.toFixed(6))}`] ?? 0;
    expect(share).toBeLessThanOrEqual(tolerated);
  });

  test("every tolerance is one of a recorded case, and needed", () => {
    for (const key of Object.keys(TOLERATED)) {
      const row = policies.operations.find(({ name, magnitude }) => `${name} ${Number(magnitude.toFixed(6))}` === key);
      expect(row, key).toBeDefined();
      expect(difference(POLICY_OPERATIONS[row!.name](image, row!.magnitude, how), row!).share).toBeGreaterThan(0);
    }
  });

  test("every operation was recorded", () => {
    const recorded = new Set(policies.operations.map(({ name }) => name));
    expect([...recorded].sort()).toEqual(Object.keys(POLICY_OPERATIONS).sort());
  });
});

test.each(spaces)("$policy has torchvision's operations and magnitudes at $width x $height", (row) => {
  expect(operationSpace(row.policy, row)).toEqual(row.space);
});

test("posterize keeps a bit where AugMix's table has none", () => {
  const strongest = operationSpace("aug-mix", image)
    .find(({ name }) => name === "posterize")
    ?.magnitudes.at(-1);
  expect(strongest).toBe(0);
  expect(POLICY_OPERATIONS.posterize(image, 0)).toEqual(POLICY_OPERATIONS.posterize(image, 1));
});

test("operations that move pixels are told from those that do not", () => {
  const corner = { width: 12, height: 10, data: new Uint8Array(360).map((_, i) => (i < 3 ? 200 : 0)) };
  for (const name of Object.keys(POLICY_OPERATIONS) as (keyof typeof POLICY_OPERATIONS)[]) {
    const magnitude = { posterize: 4, solarize: 256, rotate: 90 }[name as string] ?? 3;
    const { data } = POLICY_OPERATIONS[name](corner, magnitude, how);
    const cornerMoved = data[0]! <= data[3]!;
    expect(cornerMoved, name).toBe(isGeometricOperation(name));
  }
});
