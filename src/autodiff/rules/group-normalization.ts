/** Gradient rules of normalization over the elements of a channel, or of a group of channels, of each image. */
import { floatOf, intOf } from "../../graph/attributes.ts";
import type { Shape, Value } from "../../graph/graph.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";
import { type Standardized, standardize, standardizeVjp } from "./standardize.ts";

/** Y = scale N + B per channel, N normalized over the elements of each channel of each image. As GroupNormalization. */
export const instanceNormalization: VjpRule<"InstanceNormalization"> = {
  ...rule<"InstanceNormalization">({
    input: (c) => dX(instance(c)),
    scale: (c) => dScale(instance(c)),
    B: (c) => dBias(instance(c)),
  }),
  unsupported: (node, shapeOf) => unknownLength(shapeOf(node.inputs[1]!)),
};

/**
 * Y = scale N + B, N = (X - mean) / √(var + epsilon) over the elements of each group of channels of each image.
 * dscale = sum(dY N), dB = sum(dY), dX = (G - mean(G) - N mean(G N)) / √(var + epsilon) with G = dY scale.
 * scale and B are per group at opset 18 and per channel from 21: their length says which.
 */
export const groupNormalization: VjpRule<"GroupNormalization"> = {
  ...rule<"GroupNormalization">({
    X: (c) => dX(group(c)),
    scale: (c) => dScale(group(c)),
    bias: (c) => dBias(group(c)),
  }),
  unsupported: (node, shapeOf) => unknownLength(shapeOf(node.inputs[1]!)),
};

const unknownLength = (scale: Shape | undefined): string | undefined =>
  typeof scale?.[0] === "number" ? undefined : "its number of channels is not known";

/** What both rules compute with. */
interface Grouped extends Pick<VjpContext<string>, "b" | "node" | "dy" | "dtypeOf"> {
  readonly data: Value;
  readonly scale: Value;
  readonly groups: number;
  /** Length of scale and bias: one per group or one per channel. */
  readonly parameters: number;
}

function instance(c: VjpContext<"input" | "scale" | "B">): Grouped {
  const parameters = Number(c.shapeOf(c.x.scale)[0]); // a number, or the rule is unsupported
  return { ...c, data: c.x.input, scale: c.x.scale, groups: parameters, parameters };
}

function group(c: VjpContext<"X" | "scale" | "bias">): Grouped {
  const parameters = Number(c.shapeOf(c.x.scale)[0]); // a number, or the rule is unsupported
  return { ...c, data: c.x.X, scale: c.x.scale, groups: intOf(c.node, "num_groups", 1), parameters };
}

function dX(c: Grouped): Value {
  const { b, scale, data, dy } = c;
  const scaled = b.mul(split(c, dy, c.parameters), b.reshape(scale, b.ints([-1, 1]))); // [n, parameters, elements]
  const g = c.parameters === c.groups ? scaled : split(c, scaled, c.groups);
  return b.reshape(standardizeVjp(b, g, statistics(c), [2]), b.op("Shape", [data]));
}

function dScale(c: Grouped): Value {
  const { normalized } = statistics(c);
  const own = c.parameters === c.groups ? normalized : split(c, normalized, c.parameters);
  return c.b.reduceSum(c.b.mul(split(c, c.dy, c.parameters), own), { axes: [0, 2], keepdims: false });
}

function dBias(c: Grouped): Value {
  return c.b.reduceSum(split(c, c.dy, c.parameters), { axes: [0, 2], keepdims: false });
}

/** Of X as [n, groups, elements]. */
const statistics = (c: Grouped): Standardized =>
  standardize(c.b, split(c, c.data, c.groups), {
    axes: [2],
    epsilon: floatOf(c.node, "epsilon", 1e-5),
    dtype: c.dtypeOf(c.data),
  });

/** A value as [n, parts, elements]. */
const split = ({ b }: Grouped, value: Value, parts: number): Value => b.reshape(value, b.ints([0, parts, -1]));
