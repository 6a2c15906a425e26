/** Convolutions of the forward pass, in the blocked layout. */
import { intOf } from "../../../graph/attributes.ts";
import type { Node, Value } from "../../../graph/graph.ts";
import { windowOf } from "../../rules/window.ts";
import type { BlockedConv } from "./blocked-conv.ts";
import type { Forms } from "./forms.ts";
import type { Sizes } from "./known.ts";
import { isSinglePosition, productForward } from "./single-position.ts";
import { allTaps, packDepthwise, packForImage, packForward, packVector } from "./weights.ts";

/** An image with fewer channels than this is read as it is: filling a block would multiply its size. */
const FEWEST_BLOCKED = 4;

/** Promises the blocked result of a Conv node; false for what stays as it is. */
export function convForward(f: Forms, node: Node): boolean {
  const [x, w, bias = ""] = node.inputs as readonly [Value, Value, Value?]; // ONNX requires two
  const y = node.outputs[0]!;
  const [xs, ws, ys] = [f.known.sizes(x), f.known.sizes(w), f.known.sizes(y)];
  if (!xs || !ws || !ys) return false;
  const group = intOf(node, "group", 1);
  const window = windowOf(node, ws.slice(2), xs.slice(2), ys.slice(2), group);
  if (window.pads.some((p) => p < 0)) return false;
  if (isSinglePosition(window, ys.slice(2))) {
    f.set(y, "plain", productForward(f, node));
    return true;
  }
  const operands = operandsOf(f, { x, w, xs, ws, group, strides: window.strides, pads: window.pads });
  if (!operands) return false;
  const { kernel, dilations, pads } = window;
  const own = { ...operands, kernel, dilations, pads };
  f.promise(y, { strides: window.strides, ...own, bias: bias === "" ? "" : packVector(f, bias, ws[0]) });
  return true;
}

interface Convolution {
  readonly x: Value;
  readonly w: Value;
  readonly xs: Sizes;
  readonly ws: Sizes;
  readonly group: number;
  readonly strides: readonly number[];
  readonly pads: readonly number[];
}

/** What the convolution reads; undefined for groups other than depthwise ones, and for few channels. */
function operandsOf(
  f: Forms,
  { x, w, xs, ws, group, strides, pads }: Convolution,
): Pick<BlockedConv, "x" | "w" | "group" | "strides"> | undefined {
  const [m, c, ...kernel] = ws;
  if (isDepthwise(group, xs[1], m)) {
    return { x: f.as(x, "blocked"), w: packDepthwise(f, w, allTaps(kernel), kernel), group: f.padded(m) };
  }
  if (group !== 1) return undefined;
  if (c < FEWEST_BLOCKED) return { x: f.as(x, "plain"), w: packForImage(f, w) };
  if (!isWorthBlocking(f, x, c)) return undefined;
  if (kernel.every((k) => k === 1) && pads.every((p) => p === 0)) {
    // The kernel for 1x1 windows reads strided rows slowly: the rows and columns between are left out first.
    return { x: f.thinned(x, strides), w: packForward(f, w), strides: [1, 1] };
  }
  return { x: f.as(x, "blocked"), w: packForward(f, w) };
}

/** One group per channel, with one output each. */
export function isDepthwise(group: number, channels: number, outputs: number): boolean {
  return group > 1 && group === channels && group === outputs;
}

/** A block that is not full takes the time of a full one. */
export function isWorthBlocking(f: Forms, value: Value, channels: number): boolean {
  return channels >= f.block || (channels >= FEWEST_BLOCKED && f.isBlocked(value));
}
