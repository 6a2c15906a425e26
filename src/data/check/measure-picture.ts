/** How light, how varied and how sharp a picture is: numbers that tell the unusable from the usable. */

/** Measures of a picture of at most 256 pixels a side. */
export interface PictureMeasures {
  /** Mean grey level, 0 to 255. */
  readonly brightness: number;
  /** Standard deviation of the grey levels. */
  readonly contrast: number;
  /** Grey level below which 1 % of the pixels are. */
  readonly darkest: number;
  /** Grey level below which 99 % of the pixels are. */
  readonly brightest: number;
  /** Entropy of the grey levels in bits, 0 to 8. */
  readonly entropy: number;
  /**
   * Variance of the Laplacian as a share of the variance of the grey levels, in the sharpest of 16 tiles: a picture with
   * a sharp subject before a blurred background is sharp. 0 for pictures of fewer than 12 pixels a side.
   */
  readonly sharpness: number;
}

const TILES = 4;
/** Variance, of 10 grey levels, that is added to a tile's: the noise of a flat tile does not make it sharp. */
const FLAT = 100;

/** Measures the grey levels [height * width] of a picture. */
export function measurePicture(luma: Float32Array, width: number, height: number): PictureMeasures {
  const histogram = new Uint32Array(256);
  let [sum, squares] = [0, 0];
  for (const level of luma) {
    histogram[Math.round(level)]!++;
    sum += level;
    squares += level * level;
  }
  const brightness = sum / luma.length;
  return {
    brightness,
    contrast: Math.sqrt(Math.max(0, squares / luma.length - brightness ** 2)),
    darkest: quantile(histogram, luma.length * 0.01),
    brightest: quantile(histogram, luma.length * 0.99),
    entropy: entropyOf(histogram, luma.length),
    sharpness: sharpest(luma, width, height),
  };
}

function quantile(histogram: Uint32Array, rank: number): number {
  let below = 0;
  return Math.max(
    0,
    histogram.findIndex((count) => {
      below += count;
      return below > rank;
    }),
  );
}

function entropyOf(histogram: Uint32Array, total: number): number {
  let bits = 0;
  for (const count of histogram) if (count > 0) bits -= (count / total) * Math.log2(count / total);
  return bits;
}

/** The largest sharpness over a grid of tiles. */
function sharpest(luma: Float32Array, width: number, height: number): number {
  if (Math.min(width, height) < 3 * TILES) return 0;
  let largest = 0;
  for (let tile = 0; tile < TILES * TILES; tile++) {
    const [column, row] = [tile % TILES, Math.floor(tile / TILES)];
    const left = 1 + Math.floor((column * (width - 2)) / TILES);
    const right = 1 + Math.floor(((column + 1) * (width - 2)) / TILES);
    const top = 1 + Math.floor((row * (height - 2)) / TILES);
    const bottom = 1 + Math.floor(((row + 1) * (height - 2)) / TILES);
    largest = Math.max(largest, tileSharpness(luma, width, { left, right, top, bottom }));
  }
  return largest;
}

interface Tile {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Variance of the four-neighbour Laplacian (Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy") by that of the levels. */
function tileSharpness(luma: Float32Array, width: number, { left, right, top, bottom }: Tile): number {
  let [sum, squares, levels, levelSquares] = [0, 0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let at = y * width + left; at < y * width + right; at++) {
      const level = luma[at]!;
      const value = luma[at - 1]! + luma[at + 1]! + luma[at - width]! + luma[at + width]! - 4 * level;
      sum += value;
      squares += value * value;
      levels += level;
      levelSquares += level * level;
    }
  }
  const count = (right - left) * (bottom - top);
  const variance = levelSquares / count - (levels / count) ** 2;
  return (squares / count - (sum / count) ** 2) / (variance + FLAT);
}
