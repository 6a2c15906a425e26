/** The matrices of Resize: for each position of the output along one axis, the weights of the input's positions. */

/** How Resize reads one axis, with the words of its ONNX page. */
export interface AxisResize {
  /** Size of the input along the axis. */
  readonly from: number;
  /** Size of the output. */
  readonly to: number;
  /** As given; `to / from` where sizes were given. */
  readonly scale: number;
}

/** What holds for all axes. */
export interface ResizeOptions {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly coordinates: string;
  readonly nearest: string;
  /** The `a` of cubic interpolation. */
  readonly cubic: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

/** One weight of an output position. */
interface Tap {
  readonly at: number;
  readonly weight: number;
}

/** The taps of each output position. The numbers are those of ONNX Runtime, which computes positions in float32. */
export function resizeTaps(axis: AxisResize, options: ResizeOptions): Tap[][] {
  return Array.from({ length: axis.to }, (_, i) => {
    const x = axis.scale === 1 ? i : originalPosition(i, axis, options.coordinates);
    if (options.mode === "nearest") return [{ at: clamp(nearest(x, options.nearest), axis), weight: 1 }];
    return options.antialias ? filtered(x, axis, options) : interpolated(x, axis, options);
  });
}

const f = Math.fround;

/** The position of X that position `i` of Y shows. */
function originalPosition(i: number, { from, to, scale }: AxisResize, coordinates: string): number {
  const halfPixel = f(f((i + 0.5) / scale) - 0.5);
  switch (coordinates) {
    case "asymmetric":
      return f(i / scale);
    case "align_corners":
      return to === 1 ? 0 : f(f(i * f(from - 1)) / f(to - 1));
    case "pytorch_half_pixel":
      return to > 1 ? halfPixel : 0;
    case "half_pixel_symmetric": {
      const adjustment = f(to / f(scale * from));
      return f(f((from / 2) * f(1 - adjustment)) + (i + 0.5) / scale - 0.5); // ONNX Runtime rounds once here
    }
    default:
      return halfPixel;
  }
}

function nearest(x: number, mode: string): number {
  switch (mode) {
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "round_prefer_ceil":
      return Math.floor(x + 0.5);
    default:
      return Math.ceil(x - 0.5);
  }
}

function clamp(position: number, { from }: AxisResize): number {
  return Math.min(Math.max(position, 0), from - 1);
}

/** Linear interpolation between the two neighbours, or cubic among four; beyond the edge the last element repeats. */
function interpolated(x: number, axis: AxisResize, { mode, cubic, excludeOutside }: ResizeOptions): Tap[] {
  if (mode === "linear") {
    const inside = clamp(x, axis);
    const at = Math.floor(inside);
    const weight = f(inside - at);
    return [
      { at, weight: 1 - weight },
      { at: clamp(at + 1, axis), weight },
    ];
  }
  const first = Math.floor(x) - 1;
  const taps = [0, 1, 2, 3].map((k) => ({ at: first + k, weight: cubicWeight(x - first - k, cubic) }));
  return edged(taps, axis, excludeOutside);
}

/** Antialiasing: where the image shrinks, the kernel is stretched by the scale, so that it covers all that disappears. */
function filtered(x: number, axis: AxisResize, { mode, cubic, excludeOutside }: ResizeOptions): Tap[] {
  const stretch = Math.max(1, 1 / axis.scale);
  const support = (mode === "linear" ? 1 : 2) * stretch;
  const first = Math.floor(x + 1 - support);
  const taps: Tap[] = [];
  for (let at = first; at <= Math.floor(x + support); at++) {
    const distance = Math.abs(at - x) / stretch;
    taps.push({ at, weight: mode === "linear" ? Math.max(0, 1 - distance) : cubicWeight(distance, cubic) });
  }
  const total = taps.reduce((sum, { weight }) => sum + weight, 0);
  return edged(
    taps.map(({ at, weight }) => ({ at, weight: weight / total })),
    axis,
    excludeOutside,
  );
}

/** Weights beyond the edge go to the last element, or are left out with the others made to sum to 1. */
function edged(taps: readonly Tap[], axis: AxisResize, excludeOutside: boolean): Tap[] {
  if (!excludeOutside) return taps.map(({ at, weight }) => ({ at: clamp(at, axis), weight }));
  const inside = taps.filter(({ at }) => at >= 0 && at < axis.from);
  const total = inside.reduce((sum, { weight }) => sum + weight, 0);
  return inside.map(({ at, weight }) => ({ at, weight: weight / total }));
}

/** The cubic convolution kernel (Keys 1981) at a distance. */
function cubicWeight(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}
