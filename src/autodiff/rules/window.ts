/** The window of a convolution or pooling node with every default written out, as its gradient needs it. */
import { intsOf, stringOf } from "../../graph/attributes.ts";
import { formatShape, type Node, type Shape, type Value } from "../../graph/graph.ts";
import { reachOf, type WindowAttributes } from "../gradient-operators.ts";

/** The spatial sizes of [n, c, ...sizes], which `unsupportedWindow` has found to be numbers. */
export function spatialOf(shape: Shape): number[] {
  return shape.slice(2).map(Number);
}

/**
 * The window that a node slides over spatial sizes `size` to give `out`. Automatic padding is resolved as ONNX defines
 * it: SAME pads what `out` windows need in all, the odd element at the end (UPPER) or at the begin (LOWER).
 */
export function windowOf(
  node: Node,
  kernel: readonly number[],
  size: readonly number[],
  out: readonly number[],
  group = 1,
): WindowAttributes {
  const filled = (name: string, length: number, value: number): readonly number[] => {
    const given = intsOf(node, name, []);
    return given.length > 0 ? given : Array.from({ length }, () => value);
  };
  const strides = filled("strides", kernel.length, 1);
  const dilations = filled("dilations", kernel.length, 1);
  const window = { kernel, strides, dilations, group, size };
  const automatic = stringOf(node, "auto_pad", "NOTSET");
  if (automatic === "NOTSET") return { ...window, pads: filled("pads", 2 * kernel.length, 0) };
  const totals = reachOf(window).map((reach, i) =>
    automatic === "VALID" ? 0 : Math.max(0, (out[i]! - 1) * strides[i]! + reach - size[i]!),
  );
  const begins = totals.map((total) => (automatic === "SAME_LOWER" ? Math.ceil(total / 2) : Math.floor(total / 2)));
  return { ...window, pads: [...begins, ...totals.map((total, i) => total - begins[i]!)] };
}

/** The window with more padding at the end where `out` windows need it: ceil_mode adds one that sticks out. */
export function withRoomFor(out: readonly number[], window: WindowAttributes): WindowAttributes {
  const { pads, strides, size } = window;
  const begins = pads.slice(0, size.length);
  const ends = reachOf(window).map((reach, i) =>
    Math.max(pads[i + size.length]!, (out[i]! - 1) * strides[i]! + reach - size[i]! - begins[i]!),
  );
  return { ...window, pads: [...begins, ...ends] };
}

/** Why the gradient of a window cannot be built: every size but the batch has to be a number. */
export function unsupportedSizes(node: Node, shapeOf: (value: Value) => Shape | undefined): string | undefined {
  const values = [...node.inputs.slice(0, 2), node.outputs[0]!];
  const open = values.find((value) => !shapeOf(value)?.every((size, i) => i === 0 || typeof size === "number"));
  if (open === undefined) return undefined;
  return `all sizes but the batch must be numbers, and "${open}" is ${formatShape(shapeOf(open))}: give the graph a fixed input size`;
}

/** The same, and SAME with dilations: ONNX Runtime refuses it (Conv) or computes otherwise than ONNX says (pooling). */
export function unsupportedWindow(node: Node, shapeOf: (value: Value) => Shape | undefined): string | undefined {
  const dilated = intsOf(node, "dilations", []).some((dilation) => dilation > 1);
  const same = stringOf(node, "auto_pad", "NOTSET").startsWith("SAME");
  return dilated && same ? "auto_pad=SAME with dilations: write the padding as pads" : unsupportedSizes(node, shapeOf);
}
