import { expect, test } from "vitest";
import { drawScene } from "../../../src/data/drawings/draw.ts";
import { drawnScenes } from "../../../src/data/drawings/drawn-scenes.ts";

test("gives the scenes in order, named by seed and index", async () => {
  const names: string[] = [];
  for await (const { name, bytes } of drawnScenes({ count: 9, seed: 5, size: 32 })) {
    expect(Buffer.from(bytes).equals(await drawScene(5, names.length, 32))).toBe(true);
    names.push(name);
  }
  expect(names).toHaveLength(9);
  expect([names[0], names[8]]).toEqual(["drawn/5/000000", "drawn/5/000008"]);
});

test("goes on from an index, and can be left early", async () => {
  const from = async (first: number): Promise<readonly string[]> => {
    const names: string[] = [];
    for await (const { name } of drawnScenes({ count: 1_000_000, seed: 5, size: 16, first })) {
      names.push(name);
      if (names.length === 2) break;
    }
    return names;
  };
  expect(await from(7)).toEqual(["drawn/5/000007", "drawn/5/000008"]);
});

test("refuses options when it is called, before anything is drawn", async () => {
  expect(() => drawnScenes({ count: 0 })).toThrow(/count requires a whole number from 1 to 1000000, got 0\./);
  expect(() => drawnScenes({ count: 1e9 })).toThrow(/count requires .* got 1000000000\./);
  expect(() => drawnScenes({ count: 1, size: 4 })).toThrow(/size requires/);
  expect(() => drawnScenes({ count: 1, sizes: 40 } as never)).toThrow(/has no option "sizes"\. Did you mean size\?/);
});
