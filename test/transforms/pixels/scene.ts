/** The picture of test/golden/color/make.py, computed in the same way. */
import type { Image } from "../../../src/transforms/image.ts";

/** Two gradients, a disc, a dark stripe, and noise: smooth areas, edges, and levels from 0 to 255. */
export function scene(width = 48, height = 40): Image {
  const data = new Uint8Array(width * height * 3);
  let state = 12345;
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = (x - 17) ** 2 + (y - 15) ** 2 < 121;
      const stripe = 30 < x && x < 35;
      const base = inside ? [215, 90, 40] : stripe ? [8, 12, 30] : [60 + x * 3, 200 - y * 4, 90 + (x + y) * 2];
      for (const level of base) {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        data[at++] = Math.max(0, Math.min(255, level + ((state >> 16) % 9) - 4));
      }
    }
  }
  return { width, height, data };
}
