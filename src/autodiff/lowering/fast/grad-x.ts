/** The gradient of a convolution with respect to its input, in the blocked layout. */
import { int } from "../../../graph/attributes.ts";
import type { Node, Value } from "../../../graph/graph.ts";
import { reachOf, readWindow, type WindowAttributes } from "../../gradient-operators.ts";
import { blockedConv } from "./blocked-conv.ts";
import type { Context } from "./context.ts";
import type { Forms } from "./forms.ts";
import { isDepthwise, isWorthBlocking } from "./forward.ts";
import type { Sizes } from "./known.ts";
import { isSinglePosition, productGradX } from "./single-position.ts";
import { allTaps, packBackward, packDepthwise } from "./weights.ts";

/** Lowers ConvGradX(dY, W); false for what the portable lowering computes. */
export function convGradX(c: Context, node: Node): boolean {
  const { f } = c;
  const [dy, w] = node.inputs as readonly [Value, Value];
  const dx = node.outputs[0]!;
  const [dys, ws, dxs] = [f.known.sizes(dy), f.known.sizes(w), f.known.sizes(dx)];
  if (!dys || !ws || !dxs) return false;
  const window = readWindow(node);
  if (isSinglePosition(window, dys.slice(2))) {
    f.set(dx, "plain", productGradX(f, node));
    return true;
  }
  const depthwise = isDepthwise(window.group, dxs[1], ws[0]);
  if (!depthwise && (window.group !== 1 || !isWorthBlocking(f, dy, dxs[1]))) return false;
  const gradient: Gradient = { f, dy, w, dx, dys, dxs, window, depthwise };
  if (window.strides.every((stride) => stride === 1)) return flipped(gradient);
  if (c.choose({ kind: "dXstrided", x: dxs, dy: dys, window }) !== "phases") return false;
  if (window.dilations.some((dilation) => dilation > 1)) return false;
  const single = window.kernel.every((k) => k === 1) && window.pads.every((p) => p === 0);
  return single && !depthwise ? spread(gradient) : phases(gradient);
}

interface Gradient {
  readonly f: Forms;
  readonly dy: Value;
  readonly w: Value;
  readonly dx: Value;
  readonly dys: Sizes;
  readonly dxs: Sizes;
  readonly window: WindowAttributes;
  readonly depthwise: boolean;
}

/** At stride 1, dX[i] = sum over k of W[k] dY[i + pad - k dilation]: a convolution of dY with the flipped weights. */
function flipped({ f, dy, w, dx, dys, dxs, window, depthwise }: Gradient): boolean {
  const { kernel, dilations, pads, size } = window;
  const begins = reachOf(window).map((reach, i) => reach - 1 - pads[i]!);
  const ends = size.map((length, i) => length + pads[i]! - dys[i + 2]!);
  if ([...begins, ...ends].some((p) => p < 0)) return false; // dY would have to be cropped
  const taps = allTaps(kernel).reverse();
  const packed = depthwise ? packDepthwise(f, w, taps, kernel) : packBackward(f, w, taps, kernel);
  const group = depthwise ? f.padded(dxs[1]) : 1;
  f.promise(dx, { x: f.as(dy, "blocked"), w: packed, kernel, dilations, pads: [...begins, ...ends], group });
  return true;
}

/** A 1x1 window reaches the first of every `strides` rows and columns: dX is the product there, and zero between. */
function spread({ f, dy, w, dx, dys: [n, , h, width], dxs, window }: Gradient): boolean {
  const [down, right] = window.strides as readonly [number, number];
  const { b, block } = f;
  const product = blockedConv(b, { x: f.as(dy, "blocked"), w: packBackward(f, w, [0], [1, 1]), kernel: [1, 1] });
  const rows = (n * f.padded(dxs[1]) * h) / block;
  const widened = b.op("Pad", [f.reshape(product, [rows * width, block]), b.ints([0, 0, 0, (right - 1) * block])]);
  const line = width * right * block;
  const all = b.op("Pad", [f.reshape(widened, [rows, line]), b.ints([0, 0, 0, (down - 1) * line])]);
  f.set(dx, "blocked", cropped(f, all, dxs, [h * down, width * right]));
  return true;
}

/**
 * With s = stride, row q s + a of dX gets dY[i] W[k] for i s + k = q s + a + pad: only the taps k of one remainder by s.
 * Each remainder of rows and of columns is a convolution of dY with those taps; the results are interleaved.
 */
function phases({ f, dy, w, dx, dys, dxs, window, depthwise }: Gradient): boolean {
  const { kernel, strides } = window;
  const [rows, columns] = [phasesOf(window, dys, 0), phasesOf(window, dys, 1)];
  if (!rows || !columns) return false;
  const maps = rows.map((row) =>
    columns.map((column) => {
      const taps = row.taps.flatMap((i) => column.taps.map((j) => i * kernel[1]! + j));
      const part = [row.taps.length, column.taps.length];
      const packed = depthwise ? packDepthwise(f, w, taps, part) : packBackward(f, w, taps, part);
      const pads = [row.begin, column.begin, row.end, column.end];
      return blockedConv(f.b, {
        x: f.as(dy, "blocked"),
        w: packed,
        kernel: part,
        pads,
        group: depthwise ? f.padded(dxs[1]) : 1,
      });
    }),
  );
  const counts = [0, 1].map((axis) => Math.ceil(dxs[axis + 2]! / strides[axis]!));
  f.set(dx, "blocked", interleaved(f, maps, dxs, counts as [number, number]));
  return true;
}

/** The part of a convolution along one axis that gives every stride-th element of dX. */
interface Phase {
  /** Elements of the kernel, in the order of the elements of dY that they meet. */
  readonly taps: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** One per remainder by the stride; undefined where one has no taps, or dY would have to be cropped. */
function phasesOf({ kernel, strides, pads, size }: WindowAttributes, dys: Sizes, axis: number): Phase[] | undefined {
  const [stride, pad, length] = [strides[axis]!, pads[axis]!, dys[axis + 2]!];
  const count = Math.ceil(size[axis]! / stride);
  const phases = Array.from({ length: stride }, (_, remainder): Phase => {
    const taps = Array.from({ length: kernel[axis]! }, (_, k) => k)
      .filter((k) => (remainder + pad - k) % stride === 0)
      .reverse();
    const offsets = taps.map((k) => (remainder + pad - k) / stride);
    return { taps, begin: -(offsets[0] ?? 0), end: count + (offsets.at(-1) ?? 0) - length };
  });
  return phases.every(({ taps, begin, end }) => taps.length > 0 && begin >= 0 && end >= 0) ? phases : undefined;
}

/** maps[a][c] [n, channels, rows, columns] to one map whose row q s + a comes from the maps[a], columns alike. */
function interleaved(
  f: Forms,
  maps: readonly (readonly Value[])[],
  dxs: Sizes,
  [rows, columns]: readonly [number, number],
): Value {
  const { b, block } = f;
  const [n, channels] = dxs;
  const lines = (n * f.padded(channels) * rows) / block;
  const across = maps.map((row) => {
    if (row.length === 1) return row[0]!;
    return b.op(
      "Concat",
      row.map((map) => f.reshape(map, [lines * columns, block])),
      { axis: int(1) },
    );
  });
  const width = columns * maps[0]!.length;
  if (across.length === 1) return cropped(f, across[0]!, dxs, [rows, width]);
  const all = b.op(
    "Concat",
    across.map((row) => f.reshape(row, [lines, width * block])),
    { axis: int(1) },
  );
  return cropped(f, all, dxs, [rows * across.length, width]);
}

/** The elements of blocked maps of [rows, columns] as a blocked value of fewer rows and columns. */
function cropped(f: Forms, form: Value, [n, channels, h, w]: Sizes, [rows, columns]: readonly [number, number]): Value {
  const { block } = f;
  const wide = f.padded(channels);
  if (rows === h && columns === w) return f.reshape(form, [n, wide, h, w]);
  const cut = f.cut(f.reshape(form, [(n * wide) / block, rows, columns * block]), [1, 2], [h, w * block]);
  return f.reshape(cut, [n, wide, h, w]);
}
