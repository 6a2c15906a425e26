/** Arithmetic on one number per channel, some of them known: what is known is computed at once, the rest becomes nodes. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import { float32 } from "../tensor/tensor.ts";

/** A number per channel: known, or a value [channels] of the graph. */
export type Channels = { readonly known: Float64Array } | { readonly value: Value };

/** Operations that emit nodes only where an operand is not known. Known numbers are rounded to float32 once, when used. */
export interface ChannelArithmetic {
  add(x: Channels, y: Channels): Channels;
  sub(x: Channels, y: Channels): Channels;
  mul(x: Channels, y: Channels): Channels;
  /** As a value of this shape, one of whose sizes is -1: the channels. `hint` names a constant. */
  shaped(x: Channels, shape: readonly number[], hint: string): Value;
}

/** Arithmetic that adds its nodes to a graph under construction. */
export function channelArithmetic(b: GraphBuilder): ChannelArithmetic {
  const shaped: ChannelArithmetic["shaped"] = (x, shape, hint) => {
    if ("value" in x) return shape.length === 1 ? x.value : b.reshape(x.value, b.ints(shape));
    const sizes = shape.map((size) => (size === -1 ? x.known.length : size));
    return b.constant(float32(sizes, Float32Array.from(x.known)), hint);
  };
  const operation =
    (op: "Add" | "Mul" | "Sub", known: (x: number, y: number) => number) =>
    (x: Channels, y: Channels): Channels => {
      if ("known" in x && "known" in y) return { known: x.known.map((value, i) => known(value, y.known[i]!)) };
      return { value: b.op(op, [shaped(x, [-1], "channels"), shaped(y, [-1], "channels")]) };
    };
  return {
    add: operation("Add", (x, y) => x + y),
    sub: operation("Sub", (x, y) => x - y),
    mul: operation("Mul", (x, y) => x * y),
    shaped,
  };
}
