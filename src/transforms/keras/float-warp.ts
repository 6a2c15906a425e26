/** Resamples float pixels through an affine map with the arithmetic of scipy, as Keras's ImageDataGenerator does. */
import type { Matrix } from "../resampling/matrix.ts";
import type { FillMode } from "../resampling/warp.ts";

/** Float pixels in memory, whatever the order of the axes. */
export interface FloatPixels {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  /** Elements from one row, column or channel to the next. */
  readonly strides: { readonly row: number; readonly column: number; readonly channel: number };
}

/** How positions outside are read, and between pixels. */
export interface FloatWarpOptions {
  readonly fill: FillMode;
  readonly value: number;
  /** 0 reads the nearest pixel, 1 between pixels. */
  readonly order: 0 | 1;
}

/**
 * Returns new data of the same layout: the value of pixel (x, y) is the source's at `matrix` times (x, y). As in scipy
 * and unlike elsewhere, positions count from the centre of the first pixel.
 *
 * Outside as `scipy.ndimage.affine_transform` has it, which differs from `warp` in two modes: "constant" begins at the
 * centres of the outer pixels, and "wrap" repeats after size - 1 pixels, so that the first and the last pixel coincide.
 */
export function floatWarp(source: FloatPixels, matrix: Matrix, { fill, value, order }: FloatWarpOptions): Float32Array {
  const { data, rows, columns, channels, strides } = source;
  const out = new Float32Array(data.length);
  const [a, b, c, d, e, f] = matrix;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      // scipy's order of additions: positions that fall on an edge round to the same side.
      const u = place(y * b + x * a + c, columns, fill);
      const v = place(y * e + x * d + f, rows, fill);
      const at = y * strides.row + x * strides.column;
      const inside = u > OUTSIDE && v > OUTSIDE;
      for (let channel = 0; channel < channels; channel++) {
        const offset = channel * strides.channel;
        out[at + offset] = inside ? read(source, { u, v, order, offset }) : value;
      }
    }
  }
  return out;
}

const OUTSIDE = -2; // reflected positions lie between -1 and the size

/** The position inside an axis that stands for `position`: `map_coordinate` of scipy's ni_interpolation.c. */
function place(position: number, size: number, fill: FillMode): number {
  if (position >= 0 && position <= size - 1) return position;
  switch (fill) {
    case "constant":
      return OUTSIDE;
    case "nearest":
      return position < 0 ? 0 : size - 1;
    case "wrap": {
      if (size === 1) return 0;
      const period = size - 1;
      return position < 0
        ? position + period * (Math.trunc(-position / period) + 1)
        : position - period * Math.trunc(position / period);
    }
    case "reflect": {
      const period = 2 * size;
      const inside = position - period * Math.floor(position / period);
      return inside < size ? inside : period - 1 - inside;
    }
  }
}

function read(
  { data, rows, columns, strides }: FloatPixels,
  { u, v, order, offset }: { readonly u: number; readonly v: number; readonly order: 0 | 1; readonly offset: number },
): number {
  if (order === 0) {
    const [column, row] = [within(Math.floor(u + 0.5), columns), within(Math.floor(v + 0.5), rows)];
    return data[row * strides.row + column * strides.column + offset]!;
  }
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const [right, lower] = [u - left, v - top];
  const [x0, x1] = [within(left, columns) * strides.column, within(left + 1, columns) * strides.column];
  const [y0, y1] = [within(top, rows) * strides.row + offset, within(top + 1, rows) * strides.row + offset];
  const upper = data[y0 + x0]! * (1 - right) + data[y0 + x1]! * right;
  const under = data[y1 + x0]! * (1 - right) + data[y1 + x1]! * right;
  return upper * (1 - lower) + under * lower;
}

/** Reflection goes half a pixel beyond the edge, where the edge is repeated. */
function within(index: number, size: number): number {
  return Math.min(Math.max(index, 0), size - 1);
}
