import { expect, test } from "vitest";
import { decodeImage } from "../../../src/data/decode.ts";
import {
  boxPath,
  type Definitions,
  define,
  ellipsePath,
  linePath,
  num,
  placed,
  smoothPath,
  svgFile,
} from "../../../src/data/drawings/svg.ts";
import { svgToJpeg } from "../../../src/data/encode.ts";

test("numbers have three decimals at most, and no minus before zero", () => {
  expect([0.12349, -0.0001, 5, -2.5].map(num)).toEqual(["0.123", "0", "5", "-2.5"]);
});

test("definitions are referred to by different names", () => {
  const definitions: Definitions = [];
  expect(define(definitions, 'pattern width="3"', "<g/>")).toBe("url(#d0)");
  expect(define(definitions, "filter", "")).toBe("url(#d1)");
  expect(definitions).toEqual(['<pattern id="d0" width="3"><g/></pattern>', '<filter id="d1"></filter>']);
});

test("a smooth path goes through its points, closed or not", () => {
  const square = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ] as const;
  expect(smoothPath(square)).toMatch(/^M0 0C\S+ \S+ \S+ \S+ 1 0C.* 1 1C.* 0 1C.* 0 0Z$/);
  expect(smoothPath(square, false).split("C")).toHaveLength(4);
  expect(linePath(square)).toBe("M0 0L1 0L1 1L0 1Z");
});

/** Share of dark pixels of a black path on white. */
async function area(path: string, wrap: (markup: string) => string = (markup) => markup): Promise<number> {
  const svg = svgFile([], wrap(`<path d="${path}"/>`), 200);
  const { data } = await decodeImage(await svgToJpeg(svg, { quality: 95 }));
  return data.filter((value) => value < 128).length / data.length;
}

test("paths have the areas of their forms", async () => {
  expect(await area(boxPath(10, 20, 60, 80))).toBeCloseTo(0.3, 2);
  expect(await area(ellipsePath([50, 50], 40, 20))).toBeCloseTo((Math.PI * 40 * 20) / 1e4, 2);
});

test("a placed thing is as large as its scale says, however it is turned and stretched", async () => {
  const unit = boxPath(-1, -1, 1, 1);
  for (const turn of [0, 30, 200])
    for (const stretch of [1, 1.5, -0.7]) {
      const found = await area(unit, (markup) => placed(markup, { x: 50, y: 50, scale: 20, turn, stretch }));
      expect(found, `${turn} ${stretch}`).toBeCloseTo(0.16, 2);
    }
});
