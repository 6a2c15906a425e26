/** Gradient rule of Slice. */
import { int } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";
import { frontAxis, numbersOf, padAxes, placeAlong, sizesOf } from "./sizes.ts";

type SliceContext = VjpContext<"data" | "starts" | "ends" | "axes" | "steps">;

/**
 * Y = X at the positions start, start + step, … before `end` along each of `axes`. dX = dY there, 0 elsewhere: zeros
 * around dY for steps of 1, else slices of dY and of zeros in X's order.
 */
export const slice: VjpRule<"Slice"> = {
  ...rule<"Slice">({
    data: (c) => {
      const { b, dy } = c;
      const ranges = knownRanges(c);
      if (!ranges) return placeComputed(c);
      const strided = ranges.filter(({ step }) => step !== 1);
      const plain = ranges.filter(({ step }) => step === 1);
      const dx = strided.reduce((value, { axis, places, size }) => placeAlong(b, value, axis, places, size), dy);
      const pads = plain.map(({ axis, places, size }) => {
        const [begin = 0] = places;
        return { axis, begin, end: size - begin - places.length };
      });
      return padAxes(b, dx, pads);
    },
    starts: null,
    ends: null,
    axes: null,
    steps: null,
  }),
  unsupported: (node, shapeOf, constantOf) => {
    const [, starts = "", , axes = ""] = node.inputs;
    if (axes !== "" && !constantOf(axes)) return "axes that are computed";
    return axes === "" && typeof shapeOf(starts)?.[0] !== "number" ? "an unknown number of axes" : undefined;
  },
};

interface KnownRange {
  readonly axis: number;
  readonly step: number;
  readonly places: readonly number[];
  readonly size: number;
}

/** The positions along each axis; undefined if a bound or a size is computed. */
function knownRanges(c: SliceContext): KnownRange[] | undefined {
  const { x, shapeOf, constantOf } = c;
  const [starts, ends] = [numbersOf(constantOf(x.starts)), numbersOf(constantOf(x.ends))];
  const steps = x.steps === "" ? starts?.map(() => 1) : numbersOf(constantOf(x.steps));
  const axes = axesOf(c);
  const shape = shapeOf(x.data);
  if (!starts || !ends || !steps || axes.some((axis) => typeof shape[axis] !== "number")) return undefined;
  return axes.map((axis, i) => {
    const size = Number(shape[axis]);
    return { axis, step: steps[i]!, size, places: positions(size, starts[i]!, ends[i]!, steps[i]!) };
  });
}

function axesOf({ x, shapeOf, constantOf }: SliceContext): number[] {
  const rank = shapeOf(x.data).length;
  const axes = numbersOf(constantOf(x.axes));
  return axes
    ? axes.map((axis) => frontAxis(axis, rank))
    : Array.from({ length: Number(shapeOf(x.starts)[0]) }, (_, i) => i);
}

/** The positions that a slice keeps of an axis, with ONNX's clamping. */
function positions(size: number, start: number, end: number, step: number): number[] {
  const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
  const first = clamp(start < 0 ? start + size : start, 0, step > 0 ? size : size - 1);
  const last = clamp(end < 0 ? end + size : end, step > 0 ? 0 : -1, size);
  return Array.from({ length: Math.max(0, Math.ceil((last - first) / step)) }, (_, i) => first + i * step);
}

/** For bounds or sizes that are computed: slices the positions of each axis as X was, and notes where each one went. */
function placeComputed(c: SliceContext): Value {
  const { b, x, dy } = c;
  const [zero, one] = [b.constant({ dtype: "int64", shape: [], data: BigInt64Array.of(0n) }), b.ints([1])];
  return axesOf(c).reduce((value, axis, i) => {
    const size = sizesOf(b, x.data, axis, axis + 1);
    const range = (count: Value): Value => b.op("Range", [zero, b.op("Squeeze", [count]), b.op("Squeeze", [one])]);
    const at = b.ints([i]);
    const element = (list: Value): Value => b.cast(b.op("Gather", [list, at]), "int64");
    const step = x.steps === "" ? one : element(x.steps);
    const places = b.op("Slice", [range(size), element(x.starts), element(x.ends), b.ints([0]), step]);
    const none = b.op("Expand", [b.ints([-1]), size]); // index -1 finds the zeros at the end
    const sources = b.op("ScatterElements", [none, places, range(b.op("Shape", [places]))]);
    return b.op("Gather", [padAxes(b, value, [{ axis, begin: 0, end: 1 }]), sources], { axis: int(axis) });
  }, dy);
}
