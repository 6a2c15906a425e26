import { expect, test } from "vitest";
import { compareClassMix } from "../../../src/features/shift/class-mix.ts";
import { rng } from "../../../src/random.ts";

const drawn = (seed: number, shares: readonly [number, number]) => {
  const random = rng(`mix ${seed}`);
  const domain = Array.from({ length: 200 }, () => Number(random.next() < 0.3));
  return { domain, labels: domain.map((set) => Number(random.next() < shares[set]!)), numClasses: 2 };
};

test("equal shares give small p-values as rarely as p says", () => {
  const results = Array.from({ length: 200 }, (_, seed) =>
    compareClassMix(drawn(seed, [0.4, 0.4]), { permutations: 99, seed }),
  );
  expect(results.filter((result) => result!.pValue <= 0.05).length).toBeLessThanOrEqual(20);
});

test("other shares are found, with their distance", () => {
  const labels = [
    ...new Array(80).fill(0),
    ...new Array(20).fill(1),
    ...new Array(10).fill(0),
    ...new Array(40).fill(1),
  ];
  const domain = labels.map((_, i) => Number(i >= 100));
  const { distance, pValue, shares } = compareClassMix({ labels, domain, numClasses: 2 })!;
  expect(distance).toBeCloseTo(0.6, 10);
  expect(pValue).toBe(0.002);
  expect(shares[0]).toEqual([0.8, 0.2]);
});

test("one set alone is not compared", () => {
  expect(compareClassMix({ labels: [0, 1], domain: [0, 0], numClasses: 2 })).toBeUndefined();
  expect(compareClassMix({ labels: [], domain: [], numClasses: 2 })).toBeUndefined();
});
