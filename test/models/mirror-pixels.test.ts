import { expect, test } from "vitest";
import { mirrorPixels } from "../../src/models/mirror-pixels.ts";

/** Every pixel as row, column and channel. */
const at = (layout: "NCHW" | "NHWC", column: (x: number) => number): Float32Array => {
  const [height, width] = [2, 3];
  const out = new Float32Array(3 * height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        out[layout === "NCHW" ? (c * height + y) * width + x : (y * width + x) * 3 + c] = 100 * y + 10 * column(x) + c;
  return out;
};

test.each(["NCHW", "NHWC"] as const)("turns columns around and keeps rows and channels, in %s", (layout) => {
  const pixels = at(layout, (x) => x);
  const out = new Float32Array(18);
  mirrorPixels(pixels, out, { layout, height: 2, width: 3 });
  expect(out).toEqual(at(layout, (x) => 2 - x));
  const again = new Float32Array(18);
  mirrorPixels(out, again, { layout, height: 2, width: 3 });
  expect(again).toEqual(pixels);
});
