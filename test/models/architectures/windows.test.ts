import { expect, test } from "vitest";
import { channelsLast } from "../../../src/models/architectures/tokens.ts";
import {
  joinWindows,
  padMap,
  positionIndices,
  rollMap,
  splitWindows,
  windowMask,
} from "../../../src/models/architectures/windows.ts";
import { toNumbers } from "../../../src/tensor/tensor.ts";
import { formulaImage } from "./golden.ts";
import { compute } from "./modern.ts";

/** The map [h, w, 3] of an image as rows of positions. */
async function mapOf(height: number, width: number): Promise<(y: number, x: number) => number[]> {
  const flat = await compute(formulaImage([height, width]), (l) => channelsLast(l, l.image));
  return (y, x) => flat.slice(3 * (y * width + x), 3 * (y * width + x) + 3);
}

test("maps are padded below and on the right", async () => {
  const at = await mapOf(3, 5);
  const padded = await compute(formulaImage([3, 5]), (l) => padMap(l, channelsLast(l, l.image), 4));
  const expected = Array.from({ length: 4 }, (_, y) =>
    Array.from({ length: 8 }, (_, x) => (y < 3 && x < 5 ? at(y, x) : [0, 0, 0])),
  );
  expect(padded).toEqual(expected.flat(2));
});

test("maps roll around their ends, and back", async () => {
  const at = await mapOf(4, 5);
  const rolled = await compute(formulaImage([4, 5]), (l) => rollMap(l, channelsLast(l, l.image), [1, 3]));
  const expected = Array.from({ length: 4 }, (_, y) =>
    Array.from({ length: 5 }, (_, x) => at((y + 1) % 4, (x + 3) % 5)),
  );
  expect(rolled).toEqual(expected.flat(2));
  const back = await compute(formulaImage([4, 5]), (l) =>
    rollMap(l, rollMap(l, channelsLast(l, l.image), [1, 3]), [-1, -3]),
  );
  expect(back).toEqual(await compute(formulaImage([4, 5]), (l) => channelsLast(l, l.image)));
});

test("windows are squares of the map, row by row, and join to it again", async () => {
  const at = await mapOf(4, 6);
  const windows = await compute(formulaImage([4, 6]), (l) => splitWindows(l, channelsLast(l, l.image), 2));
  const second = [at(0, 2), at(0, 3), at(1, 2), at(1, 3)].flat();
  const fourth = [at(2, 0), at(2, 1), at(3, 0), at(3, 1)].flat();
  expect(windows.slice(12, 24)).toEqual(second);
  expect(windows.slice(36, 48)).toEqual(fourth);
  const joined = await compute(formulaImage([4, 6]), (l) =>
    joinWindows(l, splitWindows(l, channelsLast(l, l.image), 2), [4, 6]),
  );
  expect(joined).toEqual(await compute(formulaImage([4, 6]), (l) => channelsLast(l, l.image)));
});

test("positions at one distance share a row of the table", () => {
  const indices = positionIndices(3);
  expect(indices.shape).toEqual([9, 9]);
  const rows = toNumbers(indices);
  for (let i = 0; i < 81; i++)
    for (let j = 0; j < 81; j++) {
      const distance = (k: number): string =>
        `${Math.floor(Math.floor(k / 9) / 3) - Math.floor((k % 9) / 3)} ${(Math.floor(k / 9) % 3) - ((k % 9) % 3)}`;
      expect(rows[i] === rows[j]).toBe(distance(i) === distance(j));
    }
  // from the first position to the last: nothing but the largest negative distances
  expect(rows[8]).toBe(0);
  expect(rows[72]).toBe(24);
});

test("positions of a shifted window see each other unless the map wraps around between them", () => {
  const [height, width, size, down, right] = [6, 9, 3, 1, 2] as const;
  const mask = windowMask([height, width], size, [down, right])!;
  expect(mask.length).toBe(6 * 81);
  for (let window = 0; window < 6; window++)
    for (let i = 0; i < 9; i++)
      for (let j = 0; j < 9; j++) {
        // where a position of the rolled map comes from
        const from = (k: number): [number, number] => [
          (Math.floor(window / 3) * size + Math.floor(k / size) + down) % height,
          ((window % 3) * size + (k % size) + right) % width,
        ];
        const [a, b] = [from(i), from(j)];
        const near = Math.abs(a[0] - b[0]) < size && Math.abs(a[1] - b[1]) < size;
        expect(mask[window * 81 + i * 9 + j]).toBe(near ? 0 : -100);
      }
});

test("nothing is masked where nothing is shifted", () => {
  expect(windowMask([6, 6], 3, [0, 0])).toBeUndefined();
  const mask = windowMask([3, 6], 3, [0, 1])!;
  expect(new Set(mask.subarray(0, 81))).toEqual(new Set([0]));
  expect(new Set(mask.subarray(81))).toEqual(new Set([0, -100]));
});
