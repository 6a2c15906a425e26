/** Attention to channels, as MobileNetV3, EfficientNet and RegNet use it. */
import type { Value } from "../../graph/graph.ts";
import type { Layers } from "./layers.ts";

export interface SqueezeExcitationOptions {
  /** Channels between the two layers. */
  readonly squeezed: number;
  readonly activation: (x: Value) => Value;
  /** Takes scores to weights in [0, 1]. @default l.sigmoid */
  readonly gate?: ((x: Value) => Value) | undefined;
  /** What the two layers are called. @default ["fc1", "fc2"] */
  readonly layers?: readonly [string, string] | undefined;
}

/** Weighs each channel by a function of the averages of all (Hu et al. 2017, arXiv:1709.01507). */
export function squeezeExcitation(
  l: Layers,
  x: Value,
  name: string,
  { squeezed, activation, gate = l.sigmoid, layers = ["fc1", "fc2"] }: SqueezeExcitationOptions,
): Value {
  const layer = (y: Value, part: string, out: number): Value =>
    l.conv(y, `${name}.${part}`, { out, kernel: 1, bias: true });
  const y = activation(layer(l.globalAveragePool(x), layers[0], squeezed));
  return l.multiply(x, gate(layer(y, layers[1], l.channels(x))));
}
