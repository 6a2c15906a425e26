/** Operators that move channels: blocked where the parts are whole blocks. */
import { int, intOf, intsOf } from "../../../graph/attributes.ts";
import type { Node, Value } from "../../../graph/graph.ts";
import type { Forms } from "./forms.ts";

/** Concat along the channels: one image of a blocked value is its blocks one behind the other. */
export function concat(f: Forms, node: Node): boolean {
  const sizes = node.inputs.map((value) => f.known.sizes(value));
  const axis = intOf(node, "axis", 0);
  if ((axis !== 1 && axis !== -3) || !node.inputs.some((value) => f.isBlocked(value))) return false;
  if (!sizes.every((size) => size !== undefined && size[1] % f.block === 0)) return false;
  const parts = node.inputs.map((value) => f.as(value, "blocked"));
  f.set(node.outputs[0]!, "blocked", f.b.op("Concat", parts, { axis: int(1) }));
  return true;
}

/** Slice of channels, as the gradient of Concat is. */
export function slice(f: Forms, node: Node): boolean {
  const [x, ...lists] = node.inputs as readonly [Value, ...Value[]];
  const y = node.outputs[0]!;
  const [sizes, result] = [f.known.sizes(x), f.known.sizes(y)];
  if (!sizes || !result || !f.isBlocked(x)) return false;
  const [starts, , axes, steps] = lists.map((value) => f.known.numbers(value));
  const isStepped = (lists[3] ?? "") !== "" && steps?.[0] !== 1;
  if (starts?.length !== 1 || axes?.length !== 1 || isStepped) return false;
  const start = starts[0]! < 0 ? starts[0]! + sizes[1] : starts[0]!;
  const isChannels = axes[0] === 1 || axes[0] === -3;
  if (!isChannels || start % f.block !== 0 || result[1] % f.block !== 0) return false;
  f.set(y, "blocked", f.cut(f.as(x, "blocked"), [1], [result[1]], [start]));
  return true;
}

/** Transpose between [n, c, h, w] and [n, h, w, c], which are two layouts of one value. */
export function transpose(f: Forms, node: Node): boolean {
  const x = node.inputs[0]!;
  const y = node.outputs[0]!;
  const perm = intsOf(node, "perm", []).join();
  if (perm === "0,3,1,2" && f.known.sizes(y)) {
    f.set(y, "channels-last", f.as(x, "plain"));
    return true;
  }
  if (perm !== "0,2,3,1" || !f.known.sizes(x) || !(f.isBlocked(x) || f.has(x, "channels-last"))) return false;
  f.set(y, "plain", f.as(x, "channels-last"));
  return true;
}
