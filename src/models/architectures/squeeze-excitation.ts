/** Attention to channels, as EfficientNet and RegNet use it. */
import type { Value } from "../../graph/graph.ts";
import type { Layers } from "./layers.ts";

export interface SqueezeExcitationOptions {
  /** Channels between the two layers. */
  readonly squeezed: number;
  readonly activation: (x: Value) => Value;
}

/** Weighs each channel by a function in (0, 1) of the averages of all (Hu et al. 2017, arXiv:1709.01507). */
export function squeezeExcitation(
  l: Layers,
  x: Value,
  name: string,
  { squeezed, activation }: SqueezeExcitationOptions,
): Value {
  const y = activation(l.conv(l.globalAveragePool(x), `${name}.fc1`, { out: squeezed, kernel: 1, bias: true }));
  return l.multiply(x, l.sigmoid(l.conv(y, `${name}.fc2`, { out: l.channels(x), kernel: 1, bias: true })));
}
