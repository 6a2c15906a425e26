import { expect, test } from "vitest";
import { unitsOf } from "../../../src/data/splits/groups.ts";

const sample = (sha256: string, group?: string): { sha256: string; group?: string | undefined } => ({ sha256, group });

test("joins equal content, groups and given clusters, chained, numbered by first appearance", () => {
  const samples = [sample("a"), sample("b", "p"), sample("c", "q"), sample("b", "q"), sample("d"), sample("e", "r")];
  expect([...unitsOf(samples)]).toEqual([0, 1, 1, 1, 2, 3]);
  expect([...unitsOf(samples, [[5, 4], [], [0]])]).toEqual([0, 1, 1, 1, 2, 2]);
  expect([
    ...unitsOf(samples, [
      [5, 0],
      [0, 2],
    ]),
  ]).toEqual([0, 0, 0, 0, 1, 0]);
});

test("samples without a group are in none, also where a group has no name", () => {
  expect([...unitsOf([sample("a"), sample("b"), sample("c", ""), sample("d", "")])]).toEqual([0, 1, 2, 2]);
});

test("joins a long chain quickly", () => {
  const samples = Array.from({ length: 100_000 }, (_, i) => sample(`${i}`));
  const chain = samples.slice(1).map((_, i) => [i + 1, i]);
  expect(new Set(unitsOf(samples, chain)).size).toBe(1);
});

test.each([[[0, 2]], [[-1]], [[0.5]], [[Number.NaN]]])("refuses indices that are none: %j", (cluster) => {
  expect(() => unitsOf([sample("a"), sample("b")], [cluster])).toThrow(RangeError);
});
