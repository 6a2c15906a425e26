import { describe, expect, test } from "vitest";
import { contactSheet } from "../../src/report/contact-sheet.ts";
import type { Image } from "../../src/transforms/image.ts";

function plain(width: number, height: number, level: number): Image {
  return { width, height, data: new Uint8Array(3 * width * height).fill(level) };
}

function levelAt({ width, data }: Image, x: number, y: number): number {
  return data[3 * (y * width + x)]!;
}

describe("contactSheet", () => {
  test("lays pictures out row by row, with gaps", () => {
    const sheet = contactSheet([plain(4, 3, 10), plain(4, 3, 20), plain(4, 3, 30)], {
      columns: 2,
      gap: 1,
      background: 99,
    });
    expect([sheet.width, sheet.height]).toEqual([11, 9]);
    expect([levelAt(sheet, 1, 1), levelAt(sheet, 4, 3), levelAt(sheet, 6, 1), levelAt(sheet, 1, 5)]).toEqual([
      10, 10, 20, 30,
    ]);
    expect([levelAt(sheet, 0, 0), levelAt(sheet, 5, 2), levelAt(sheet, 1, 4), levelAt(sheet, 6, 5)]).toEqual([
      99, 99, 99, 99,
    ]);
  });

  test("puts a smaller picture in the middle of its cell", () => {
    const sheet = contactSheet([plain(6, 6, 10), plain(2, 4, 20)], { gap: 0, background: 0 });
    expect([sheet.width, sheet.height]).toEqual([12, 6]);
    const filled: string[] = [];
    for (let y = 0; y < 6; y++) for (let x = 6; x < 12; x++) if (levelAt(sheet, x, y) === 20) filled.push(`${x},${y}`);
    expect(filled).toEqual(["8,1", "9,1", "8,2", "9,2", "8,3", "9,3", "8,4", "9,4"]);
  });

  test("copies pixels exactly", () => {
    const data = Uint8Array.from({ length: 3 * 5 * 4 }, (_, i) => i);
    const sheet = contactSheet([{ width: 5, height: 4, data }], { gap: 2 });
    for (let y = 0; y < 4; y++) {
      const start = 3 * ((y + 2) * sheet.width + 2);
      expect([...sheet.data.subarray(start, start + 15)]).toEqual([...data.subarray(15 * y, 15 * y + 15)]);
    }
  });

  test("refuses what makes no sheet", () => {
    expect(() => contactSheet([])).toThrow(RangeError);
    expect(() => contactSheet([plain(1, 1, 0)], { columns: 0 })).toThrow(/at least 1 column/);
    expect(() =>
      contactSheet(
        Array.from({ length: 400 }, () => plain(500, 500, 0)),
        { columns: 20 },
      ),
    ).toThrow(/at most 67108864 pixels/);
  });
});
