/** Maps [h, w, c] in square windows, as Swin uses them: padding, shifting, and which positions of a window see each other. */
import { int } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { int64, type Tensor } from "../../tensor/tensor.ts";
import type { Layers } from "./layers.ts";
import { reshape, transpose } from "./tokens.ts";

/** The map with zeros below and on the right, up to multiples of `multiple`. */
export function padMap(l: Layers, x: Value, multiple: number): Value {
  const [height, width, channels] = l.shapeOf(x) as readonly [number, number, number];
  const [rows, columns] = [height, width].map((size) => Math.ceil(size / multiple) * multiple) as [number, number];
  if (rows === height && columns === width) return x;
  const pads = l.b.ints([0, 0, 0, 0, 0, rows - height, columns - width, 0]);
  return l.shaped(l.b.op("Pad", [x, pads]), [rows, columns, channels]);
}

/** The map moved up and left by this many rows and columns, which come in again at the other end. */
export function rollMap(l: Layers, x: Value, shifts: readonly [number, number]): Value {
  return shifts.reduce((y, shift, axis) => {
    const size = l.shapeOf(y)[axis]!;
    const start = ((shift % size) + size) % size;
    if (start === 0) return y;
    const part = (from: number, to: number): Value =>
      l.b.op("Slice", [y, l.b.ints([from]), l.b.ints([to]), l.b.ints([axis + 1])]);
    const joined = l.b.op("Concat", [part(start, size), part(0, start)], { axis: int(axis + 1) });
    return l.shaped(joined, l.shapeOf(y));
  }, x);
}

/** [h, w, c] as [windows, size², c], row by row. */
export function splitWindows(l: Layers, x: Value, size: number): Value {
  const [height, width, channels] = l.shapeOf(x) as readonly [number, number, number];
  const [rows, columns] = [height / size, width / size];
  const parts = reshape(l, x, [rows, size, columns, size, channels]);
  return reshape(l, transpose(l, parts, [0, 2, 1, 3, 4]), [rows * columns, size * size, channels]);
}

/** The map [h, w, c] of the windows that `splitWindows` made. */
export function joinWindows(l: Layers, x: Value, [height, width]: readonly [number, number]): Value {
  const [, count, channels] = l.shapeOf(x) as readonly [number, number, number];
  const size = Math.sqrt(count);
  const parts = reshape(l, x, [height / size, width / size, size, size, channels]);
  return reshape(l, transpose(l, parts, [0, 2, 1, 3, 4]), [height, width, channels]);
}

/**
 * Which row of the table of biases belongs to two positions of a window: [size², size²] rows, numbered by the distance
 * in rows and columns, (2 size - 1)² in all.
 */
export function positionIndices(size: number): Tensor<"int64"> {
  const count = size * size;
  const side = 2 * size - 1;
  const indices = Array.from({ length: count * count }, (_, i) => {
    const [from, to] = [Math.floor(i / count), i % count];
    const rows = Math.floor(from / size) - Math.floor(to / size) + size - 1;
    return rows * side + (from % size) - (to % size) + size - 1;
  });
  return { ...int64(indices), shape: [count, count] };
}

/** What keeps positions apart: added to a score before the softmax. */
const APART = -100;

/**
 * [windows, 1, size², size²]: 0 where two positions of a shifted window are neighbours in the map, APART where the map
 * wraps around between them; undefined where nothing is shifted.
 */
export function windowMask(
  [height, width]: readonly [number, number],
  size: number,
  [down, right]: readonly [number, number],
): Float32Array | undefined {
  if (down === 0 && right === 0) return undefined;
  const region = (at: number, length: number, shift: number): number =>
    shift === 0 ? 0 : at < length - size ? 0 : at < length - shift ? 1 : 2;
  const [rows, columns, count] = [height / size, width / size, size * size];
  const mask = new Float32Array(rows * columns * count * count);
  for (let window = 0; window < rows * columns; window++) {
    const [top, left] = [Math.floor(window / columns) * size, (window % columns) * size];
    const regions = Array.from(
      { length: count },
      (_, i) => 3 * region(top + Math.floor(i / size), height, down) + region(left + (i % size), width, right),
    );
    for (let i = 0; i < count * count; i++)
      if (regions[Math.floor(i / count)] !== regions[i % count]) mask[window * count * count + i] = APART;
  }
  return mask;
}
