/** Gradient rule of GridSample. */
import { int, intOf, string, stringOf } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Node, Value } from "../../graph/graph.ts";
import type { DType } from "../../tensor/dtype.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";
import { oncePerNode } from "./once.ts";
import { reshapeLike } from "./sizes.ts";

type GridContext = VjpContext<"X" | "grid">;

/**
 * Y = X [n, c, h, w] at the positions that the grid [n, ho, wo, 2] names, x first, each a weighted sum of the pixels
 * around it, per axis: one (nearest), two (linear) or four (cubic, a = -0.75). dX = dY times the weights, added up at
 * those pixels; d grid = the slopes of the weights times the pixels and dY. The slope at a pixel is that towards the
 * next one; beyond the edge it is that of the padded image, as PyTorch's; that of nearest is 0.
 */
export const gridSample: VjpRule<"GridSample"> = {
  ...rule<"GridSample">({
    X: (c) => {
      const { b, x, dtypeOf } = c;
      const taps = tapsOf(c);
      const dy = flatten(b, c.dy);
      const target = b.op("Shape", [dy]);
      const parts = taps.map(({ weight }) => b.mul(dy, unsqueeze(b, weight)));
      const places = taps.map(({ index }) => b.op("Expand", [unsqueeze(b, index), target]));
      const base = b.zerosLike(flatten(b, x.X), dtypeOf(x.X));
      const sum = b.op("ScatterElements", [base, concat(b, places), concat(b, parts)], {
        axis: int(2),
        reduction: string("add"),
      });
      return reshapeLike(b, sum, x.X);
    },
    grid: (c) => {
      const { b, node, x, shapeOf, dtypeOf } = c;
      const dtype = dtypeOf(x.X);
      if (modeOf(node) === "nearest") return b.zerosLike(x.grid, dtype);
      const [dy, image] = [flatten(b, c.dy), flatten(b, x.X)];
      const target = b.op("Shape", [dy]);
      const products = tapsOf(c).map(({ index, slopes }) => {
        const pixels = b.op("GatherElements", [image, b.op("Expand", [unsqueeze(b, index), target])], { axis: int(2) });
        const dot = b.reduceSum(b.mul(pixels, dy), { axes: [1], keepdims: false }); // [n, ho wo]
        return slopes().map((slope) => b.mul(dot, slope));
      });
      const [, , h, w] = shapeOf(x.X);
      const ends = [w, h].map((size, i) => {
        const slope = b.op(
          "Sum",
          products.map((product) => product[i]!),
        );
        const pixels = Number(size) - intOf(node, "align_corners", 0); // of two units of the grid
        return b.op("Unsqueeze", [b.mul(slope, b.scalar(pixels / 2, dtype)), b.ints([2])]);
      });
      return reshapeLike(b, b.op("Concat", ends, { axis: int(2) }), x.grid);
    },
  }),
  unsupported: (node, shapeOf) => {
    const shape = shapeOf(node.inputs[0]!);
    if (!shape) return undefined;
    if (shape.length !== 4) return `${shape.length} axes`;
    return shape.slice(2).some((dim) => typeof dim !== "number") ? "sizes that are not known numbers" : undefined;
  },
};

/** [n, c, h, w] as [n, c, h w]. */
function flatten(b: GraphBuilder, image: Value): Value {
  return b.reshape(image, b.ints([0, 0, -1]));
}

/** [n, h w] as [n, 1, h w]. */
function unsqueeze(b: GraphBuilder, x: Value): Value {
  return b.op("Unsqueeze", [x, b.ints([1])]);
}

function concat(b: GraphBuilder, parts: readonly Value[]): Value {
  return parts.length === 1 ? parts[0]! : b.op("Concat", parts, { axis: int(2) });
}

/** One pixel of X for each position [n, ho wo]: its index in the flattened image, its weight, and the weight's slopes. */
interface Tap {
  readonly index: Value;
  readonly weight: Value;
  /** With respect to x and y, in pixels. */
  readonly slopes: () => readonly [Value, Value];
}

/** The pixels along one axis. Where a pixel lies outside of an image padded with zeros, weight and slope are 0. */
interface AxisTap {
  readonly at: Value;
  readonly weight: Value;
  readonly slope: () => Value;
}

const tapsOf = oncePerNode((c: GridContext): Tap[] => {
  const { b, x, shapeOf, dtypeOf } = c;
  const [, , h, w] = shapeOf(x.X);
  const [columns, rows] = [axisTaps(c, 0, Number(w)), axisTaps(c, 1, Number(h))];
  const width = b.scalar(Number(w), dtypeOf(x.X));
  return rows.flatMap((row) =>
    columns.map(
      (column): Tap => ({
        index: b.cast(b.add(b.mul(row.at, width), column.at), "int64"),
        weight: b.mul(row.weight, column.weight),
        slopes: () => [b.mul(row.weight, column.slope()), b.mul(row.slope(), column.weight)],
      }),
    ),
  );
});

function axisTaps(c: GridContext, axis: 0 | 1, size: number): AxisTap[] {
  const { b, node, x, dtypeOf } = c;
  const dtype = dtypeOf(x.X);
  const scalar = (value: number): Value => b.scalar(value, dtype);
  const pick = b.op(
    "Gather",
    [x.grid, b.constant({ dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(axis)) })],
    { axis: int(3) },
  );
  const grid = b.reshape(pick, b.ints([0, -1])); // from -1 to 1
  const isAligned = intOf(node, "align_corners", 0) === 1;
  const scaled = b.mul(b.add(grid, scalar(1)), scalar((isAligned ? size - 1 : size) / 2));
  const position = isAligned ? scaled : b.sub(scaled, scalar(0.5)); // in pixels
  const mode = modeOf(node);
  const first = b.op(mode === "nearest" ? "Round" : "Floor", [position]);
  const t = b.sub(position, first);
  return WEIGHTS[mode].map(({ offset, weight, slope }) => {
    const at = b.add(first, scalar(offset));
    const inside = b.op("Clip", [reflected(c, at, size), scalar(0), scalar(size - 1)]);
    const isZeros = stringOf(node, "padding_mode", "zeros") === "zeros";
    const isInside = isZeros ? b.cast(b.op("Equal", [at, inside]), dtype) : undefined;
    const value = (coefficients: readonly number[]): Value => {
      const sum = polynomial(b, t, coefficients, dtype);
      return isInside ? b.mul(sum, isInside) : sum;
    };
    return { at: inside, weight: value(weight), slope: () => value(slope) };
  });
}

/** A pixel's position mirrored into the image as often as necessary, at the outer pixels' centres or their outer edges. */
function reflected({ b, node, x, dtypeOf }: GridContext, at: Value, size: number): Value {
  if (stringOf(node, "padding_mode", "zeros") !== "reflection" || size === 1) return at;
  const scalar = (value: number): Value => b.scalar(value, dtypeOf(x.X));
  const isAligned = intOf(node, "align_corners", 0) === 1;
  const [low, range] = isAligned ? [0, size - 1] : [-0.5, size];
  const distance = b.op("Abs", [b.sub(at, scalar(low))]);
  const folded = b.op("Mod", [distance, scalar(2 * range)], { fmod: int(1) });
  return b.sub(scalar(low + range), b.op("Abs", [b.sub(folded, scalar(range))]));
}

type Mode = "nearest" | "linear" | "cubic";

function modeOf(node: Node): Mode {
  const mode = stringOf(node, "mode", "linear"); // "bilinear" and "bicubic" before opset 20
  return mode.replace("bi", "") as Mode; // ONNX has these three
}

/** Coefficients of 1, t, t², t³, where t in [0, 1) is the distance from the pixel before. */
interface Weights {
  readonly offset: number;
  readonly weight: readonly number[];
  readonly slope: readonly number[];
}

/** The derivative of a polynomial. */
function derivative(coefficients: readonly number[]): number[] {
  return coefficients.slice(1).map((coefficient, i) => coefficient * (i + 1));
}

function weights(offset: number, weight: readonly number[]): Weights {
  return { offset, weight, slope: derivative(weight) };
}

const A = -0.75;

/** Per axis: cubic convolution (Keys 1981) has (a + 2) d³ - (a + 3) d² + 1 near, a (d³ - 5 d² + 8 d - 4) beyond 1. */
const WEIGHTS: Readonly<Record<Mode, readonly Weights[]>> = {
  nearest: [weights(0, [1, 0])],
  linear: [weights(0, [1, -1]), weights(1, [0, 1])],
  cubic: [
    weights(-1, [0, A, -2 * A, A]),
    weights(0, [1, 0, -(A + 3), A + 2]),
    weights(1, [0, -A, 2 * A + 3, -(A + 2)]),
    weights(2, [0, 0, A, -A]),
  ],
};

/** Horner's scheme. */
function polynomial(b: GraphBuilder, t: Value, coefficients: readonly number[], dtype: DType): Value {
  const scalar = (value: number): Value => b.scalar(value, dtype);
  return coefficients
    .slice(0, -1)
    .reduceRight((value, coefficient) => b.add(b.mul(value, t), scalar(coefficient)), scalar(coefficients.at(-1) ?? 0));
}
