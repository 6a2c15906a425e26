/** Operators that work on each element by itself do so in any layout: they stay blocked between convolutions. */
import type { Node, Value } from "../../../graph/graph.ts";
import { sizeOf } from "../../../tensor/tensor.ts";
import type { Activation } from "./blocked-conv.ts";
import type { Forms } from "./forms.ts";
import { perChannel } from "./per-channel.ts";

/** Finite for finite operands, and so harmless in padding channels. */
const FINITE = new Set([
  ...["Abs", "Clip", "Elu", "Erf", "HardSigmoid", "HardSwish", "LeakyRelu", "Neg", "Relu", "Sigmoid"],
  ...["Sign", "Softplus", "Softsign", "Tanh", "ThresholdedRelu"],
  ...["Add", "Max", "Mean", "Min", "Mul", "Sub", "Sum"],
]);

/** Infinite or NaN for some: an infinity in a padding channel times its zero weight would reach every other channel. */
const UNBOUNDED = new Set(["Div", "Exp", "Log", "Reciprocal", "Sqrt"]);

/** Operands of the same sizes, or single numbers. False for what is not of this kind, or gains nothing. */
export function elementwise(f: Forms, node: Node): boolean {
  const y = node.outputs[0]!;
  const sizes = f.known.sizes(y);
  if (!sizes) return false;
  const isWhole = sizes[1] % f.block === 0;
  if (!FINITE.has(node.op) && !(isWhole && UNBOUNDED.has(node.op))) return false;
  const alike = node.inputs.map((value) => value !== "" && f.known.hasSizes(value, sizes));
  if (!node.inputs.every((value, i) => alike[i] || value === "" || isSingle(f, value))) return perChannel(f, node);
  if (!node.inputs.some((value, i) => alike[i] && f.isBlocked(value))) return false;
  if (node.op === "Add" && alike.every(Boolean) && joinSum(f, node)) return true;
  if (joinActivation(f, node)) return true;
  const inputs = node.inputs.map((value, i) => (value === "" ? "" : f.as(value, alike[i] ? "blocked" : "plain")));
  f.set(y, "blocked", f.b.op(node.op, inputs, node.attributes));
  return true;
}

/** A copy of a blocked value is the value. */
export function identity(f: Forms, { inputs, outputs }: Node): boolean {
  const x = inputs[0]!;
  if (!f.isBlocked(x)) return false;
  f.set(outputs[0]!, "blocked", f.as(x, "blocked"));
  return true;
}

function isSingle(f: Forms, value: Value): boolean {
  const shape = f.known.shape(value);
  return shape !== undefined && sizeOf(shape) === 1;
}

/** A convolution that is added to something adds it itself, if nothing else reads the convolution. */
function joinSum(f: Forms, { inputs, outputs }: Node): boolean {
  const [left, right] = inputs as readonly [Value, Value];
  for (const [value, other] of [
    [right, left],
    [left, right],
  ] as const) {
    const conv = value === other ? undefined : f.take(value, ({ sum = "" }) => sum === "");
    if (!conv) continue;
    f.promise(outputs[0]!, { ...conv, sum: f.as(other, "blocked") });
    return true;
  }
  return false;
}

/** Relu, or Clip between numbers, of a convolution that nothing else reads: the convolution applies it. */
function joinActivation(f: Forms, node: Node): boolean {
  const activation = activationOf(f, node);
  const conv = activation && f.take(node.inputs[0]!);
  if (!conv) return false;
  const y = node.outputs[0]!;
  f.promise(y, { ...conv, activation });
  f.as(y, "blocked"); // nothing may follow an activation
  return true;
}

function activationOf(f: Forms, { op, inputs }: Node): Activation | undefined {
  if (op === "Relu") return { name: "Relu" };
  if (op !== "Clip") return undefined;
  const [low, high] = [boundOf(f, inputs[1], -LARGEST), boundOf(f, inputs[2], LARGEST)];
  return low === undefined || high === undefined ? undefined : { name: "Clip", parameters: [low, high] };
}

/** The largest float32. */
const LARGEST = 2 ** 128 - 2 ** 104;

function boundOf(f: Forms, value: Value | undefined, absent: number): number | undefined {
  return value === undefined || value === "" ? absent : f.known.numbers(value)?.[0];
}
