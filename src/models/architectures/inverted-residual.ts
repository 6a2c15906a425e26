/** The block of mobile networks: widens its channels, convolves each by itself, and narrows them. */
import type { Value } from "../../graph/graph.ts";
import type { Scheme } from "./initializers.ts";
import type { ConvOptions, Layers } from "./layers.ts";
import { type SqueezeExcitationOptions, squeezeExcitation } from "./squeeze-excitation.ts";

/** Prefixes of the parameters of a convolution and of its normalization. */
export type Pair = readonly [conv: string, norm: string];

/** Prefixes of the parameters of a block's parts. */
export interface ResidualNames {
  /** Undefined in a block that does not widen. */
  readonly widen: Pair | undefined;
  readonly depthwise: Pair;
  /** Read in a block with attention to channels only. */
  readonly attention: string;
  readonly narrow: Pair;
}

export interface InvertedResidualOptions {
  readonly kernel: number;
  readonly stride: number;
  /** Channels within the block; as many as it reads, and it does not widen. */
  readonly wide: number;
  readonly out: number;
  readonly activation: (x: Value) => Value;
  /** Attention to the wide channels; none by default. */
  readonly attention?: SqueezeExcitationOptions | undefined;
  readonly names: (widens: boolean) => ResidualNames;
  /** Scheme of the depthwise weights. @default the architecture's */
  readonly init?: Scheme | undefined;
}

/** Sandler et al. 2018, arXiv:1801.04381, figure 3; no activation behind the last layer. `x` is added where the shape allows. */
export function invertedResidual(l: Layers, x: Value, name: string, options: InvertedResidualOptions): Value {
  const { kernel, stride, wide, out, activation, attention, init } = options;
  const { widen, depthwise, attention: weigh, narrow } = options.names(wide !== l.channels(x));
  let y = widen ? activation(normalizedConv(l, x, widen, { out: wide, kernel: 1 })) : x;
  y = activation(normalizedConv(l, y, depthwise, { out: wide, kernel, stride, groups: wide, init }));
  if (attention) y = squeezeExcitation(l, y, weigh, attention);
  y = normalizedConv(l, y, narrow, { out, kernel: 1 });
  return stride === 1 && l.channels(x) === out ? l.add(y, x, `${name}.add`) : y;
}

/** Convolution and batch normalization. */
export function normalizedConv(l: Layers, x: Value, [conv, norm]: Pair, options: ConvOptions): Value {
  return l.batchNorm(l.conv(x, conv, options), norm);
}

/** The pair that torchvision calls 0 and 1 within `name`. */
export function pairIn(name: string): Pair {
  return [`${name}.0`, `${name}.1`];
}

/** torchvision's names of a block: its parts are numbered, of those that it has. */
export function numberedParts(name: string, attends: boolean): (widens: boolean) => ResidualNames {
  return (widens) => {
    const first = widens ? 1 : 0;
    return {
      widen: widens ? pairIn(`${name}.0`) : undefined,
      depthwise: pairIn(`${name}.${first}`),
      attention: `${name}.${first + 1}`,
      narrow: pairIn(`${name}.${attends ? first + 2 : first + 1}`),
    };
  };
}

/** timm's names of the two layers of attention within "se". */
export const TIMM_ATTENTION = ["conv_reduce", "conv_expand"] as const;

/** timm's names of a block: normalizations are numbered, and the last layer is called by whether the first one widens. */
export function timmParts(name: string): (widens: boolean) => ResidualNames {
  const pair = (conv: string, norm: number): Pair => [`${name}.${conv}`, `${name}.bn${norm}`];
  return (widens) => ({
    widen: widens ? pair("conv_pw", 1) : undefined,
    depthwise: pair("conv_dw", widens ? 2 : 1),
    attention: `${name}.se`,
    narrow: widens ? pair("conv_pwl", 3) : pair("conv_pw", 2),
  });
}
