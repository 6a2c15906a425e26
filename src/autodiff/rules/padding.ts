/** Gradient rule of Pad. */
import { stringOf } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Node, Value } from "../../graph/graph.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";
import { frontAxis, numbersOf, padAxes } from "./sizes.ts";

type PadContext = VjpContext<"data" | "pads" | "constant_value" | "axes">;

/**
 * Y = X with elements added before and behind each of `axes`; negative pads crop.
 * - constant: dX = dY with the added part cropped and the cropped part 0; d constant_value = the rest of dY, summed.
 * - edge, reflect, wrap: every element of Y is one of X. dX = the sum of its copies' dY.
 */
export const pad: VjpRule<"Pad"> = {
  ...rule<"Pad">({
    data: (c) => (modeOf(c.node) === "constant" ? unpadded(c) : folded(c)),
    pads: null,
    constant_value: (c) => {
      const { b, dy } = c;
      return b.sub(b.reduceSum(dy, { keepdims: false }), b.reduceSum(unpadded(c), { keepdims: false }));
    },
    axes: null,
  }),
  unsupported: (node, shapeOf, constantOf) => {
    const mode = modeOf(node);
    const [data = "", pads = "", , axes = ""] = node.inputs;
    const shape = shapeOf(data);
    if (mode === "constant" || !shape) return undefined;
    if (!constantOf(pads) || (axes !== "" && !constantOf(axes))) return `mode=${mode} with pads that are computed`;
    const padded = paddings(shape.length, constantOf(pads), constantOf(axes));
    const unknown = padded.some(({ axis }) => typeof shape[axis] !== "number");
    if (unknown) return `mode=${mode} along an axis of unknown size`;
    const isLong = padded.some(
      ({ axis, begin, end }) =>
        Math.max(begin, end) > longest(mode, Number(shape[axis]) + Math.min(0, begin) + Math.min(0, end)),
    );
    return isLong ? `mode=${mode} with more pads than there are elements to copy` : undefined;
  },
};

/** How many pads have elements to copy: beyond, ONNX Runtime reads memory that is not the tensor's. */
function longest(mode: string, size: number): number {
  if (mode === "edge") return Number.POSITIVE_INFINITY;
  return mode === "reflect" ? size - 1 : size;
}

function modeOf(node: Node): string {
  return stringOf(node, "mode", "constant");
}

/** dY with the pads of constant mode taken back. */
function unpadded({ b, x, dy, constantOf }: PadContext): Value {
  const pads = numbersOf(constantOf(x.pads));
  const opposite = pads ? b.ints(pads.map((count) => -count)) : b.neg(x.pads);
  return b.op("Pad", x.axes === "" ? [dy, opposite] : [dy, opposite, "", x.axes]);
}

/** Adds each run of copies to the elements that were copied, axis by axis. */
function folded({ b, node, x, dy, shapeOf, constantOf }: PadContext): Value {
  const shape = shapeOf(x.data);
  return paddings(shape.length, constantOf(x.pads), constantOf(x.axes)).reduce((value, { axis, begin, end }) => {
    const size = Number(shape[axis]);
    const parts = runs(sources(modeOf(node), size, begin, end)).map((run) => placeRun(b, value, axis, size, run));
    return parts.length === 1 ? parts[0]! : b.op("Sum", parts);
  }, dy);
}

interface Padding {
  readonly axis: number;
  readonly begin: number;
  readonly end: number;
}

function paddings(rank: number, pads: Tensor | undefined, axes: Tensor | undefined): Padding[] {
  const counts = numbersOf(pads) ?? [];
  const which = numbersOf(axes)?.map((axis) => frontAxis(axis, rank)) ?? Array.from({ length: rank }, (_, i) => i);
  return which
    .map((axis, i) => ({ axis, begin: counts[i]!, end: counts[i + which.length]! }))
    .filter(({ begin, end }) => begin !== 0 || end !== 0);
}

/** For each position of Y along an axis, the position of X that it copies. Negative pads crop before others copy. */
function sources(mode: string, size: number, begin: number, end: number): number[] {
  const first = Math.max(0, -begin);
  const kept = size - first - Math.max(0, -end);
  const before = Math.max(0, begin);
  const period = mode === "reflect" ? Math.max(1, 2 * (kept - 1)) : kept;
  return Array.from({ length: before + kept + Math.max(0, end) }, (_, i) => {
    const at = i - before;
    if (mode === "edge") return first + Math.min(Math.max(at, 0), kept - 1);
    const phase = ((at % period) + period) % period;
    return first + (phase < kept ? phase : period - phase);
  });
}

/** Positions from `start` up to `end` of Y that copy positions `from`, `from + step`, … of X. */
interface Run {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly step: -1 | 0 | 1;
}

/** Cuts a list of positions into runs of constant step. */
function runs(positions: readonly number[]): Run[] {
  const found: Run[] = [];
  for (let start = 0, end = 1; start < positions.length; start = end, end = start + 1) {
    const from = positions[start]!;
    const step = Math.sign((positions[end] ?? from + 1) - from) as Run["step"]; // the sign of a number
    while (end < positions.length && positions[end] === from + (end - start) * step) end++;
    found.push({ start, end, from, step });
  }
  return found;
}

/** The part of dY in a run, in the order of X and with zeros around it. */
function placeRun(b: GraphBuilder, dy: Value, axis: number, size: number, { start, end, from, step }: Run): Value {
  const last = from + (end - start - 1) * step;
  const list = (value: number): Value => b.ints([value]);
  const bounds =
    step < 0 ? [end - 1, start === 0 ? -Number.MAX_SAFE_INTEGER : start - 1, axis, -1] : [start, end, axis, 1];
  const part = b.op("Slice", [dy, ...bounds.map(list)]);
  const copies = step === 0 ? b.reduceSum(part, { axes: [axis] }) : part;
  return padAxes(b, copies, [{ axis, begin: Math.min(from, last), end: size - 1 - Math.max(from, last) }]);
}
