/** EfficientNet and EfficientNetV2, with the parameter names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { divisible } from "./divisible.ts";
import { kaimingNormal, zero } from "./initializers.ts";
import { invertedResidual, normalizedConv, numberedParts, pairIn } from "./inverted-residual.ts";
import type { ConvOptions, Layers } from "./layers.ts";
import { uniformOut } from "./mobile-initializers.ts";

/** Blocks of one stage; "fused" ones have one k x k convolution in place of a 1x1 and a depthwise one. */
type Row = readonly [
  kind: "mb" | "fused",
  expansion: number,
  kernel: number,
  stride: number,
  out: number,
  depth: number,
];

export interface EfficientNetConfig {
  readonly stages: readonly Row[];
  /** Channels of the first convolution. */
  readonly stem: number;
  /** Width of the features. */
  readonly features: number;
  /** Height and width of the image. */
  readonly size: number;
  /** Added to the variances. @default 1e-5 */
  readonly epsilon?: number | undefined;
}

/** Tan and Le 2019, arXiv:1905.11946, table 1. */
const B0: readonly Row[] = [
  ["mb", 1, 3, 1, 16, 1],
  ["mb", 6, 3, 2, 24, 2],
  ["mb", 6, 5, 2, 40, 2],
  ["mb", 6, 3, 2, 80, 3],
  ["mb", 6, 5, 1, 112, 3],
  ["mb", 6, 5, 2, 192, 4],
  ["mb", 6, 3, 1, 320, 1],
];

/** Tan and Le 2021, arXiv:2104.00298, table 4. */
const V2_S: readonly Row[] = [
  ["fused", 1, 3, 1, 24, 2],
  ["fused", 4, 3, 2, 48, 4],
  ["fused", 4, 3, 2, 64, 4],
  ["mb", 4, 3, 2, 128, 6],
  ["mb", 6, 3, 1, 160, 9],
  ["mb", 6, 3, 2, 256, 15],
];

/** Sizes are those of torchvision's weights. */
export const EFFICIENTNET_CONFIGS = {
  efficientnet_b0: scaled({ width: 1, depth: 1, size: 224 }),
  efficientnet_b1: scaled({ width: 1, depth: 1.1, size: 240 }),
  efficientnet_b2: scaled({ width: 1.1, depth: 1.2, size: 288 }),
  efficientnet_b3: scaled({ width: 1.2, depth: 1.4, size: 300 }),
  efficientnet_b4: scaled({ width: 1.4, depth: 1.8, size: 380 }),
  efficientnet_v2_s: { stages: V2_S, stem: 24, features: 1280, size: 384, epsilon: 1e-3 },
} as const satisfies Record<string, EfficientNetConfig>;

/** B0 with this many times its channels and blocks. */
function scaled({ width, depth, size }: { width: number; depth: number; size: number }): EfficientNetConfig {
  const stages = B0.map(
    ([kind, expansion, kernel, stride, out, count]): Row => [
      ...([kind, expansion, kernel, stride] as const),
      divisible(out * width),
      Math.ceil(count * depth),
    ],
  );
  return { stages, stem: divisible(32 * width), features: 4 * stages.at(-1)![4], size };
}

/** EfficientNet B0 to B4 and V2-S. */
export function efficientnet(name: keyof typeof EFFICIENTNET_CONFIGS): Architecture {
  const config: EfficientNetConfig = EFFICIENTNET_CONFIGS[name];
  const { stages, size, epsilon = 1e-5 }: EfficientNetConfig = config;
  return architecture({
    name,
    family: "efficientnet",
    source: `arXiv:${stages === V2_S ? "2104.00298" : "1905.11946"}, torchvision.models.efficientnet`,
    inputSize: [size, size],
    defaults: {
      conv: kaimingNormal("out"),
      convBias: zero,
      linear: uniformOut,
      linearBias: zero,
      batchNormEpsilon: epsilon,
    },
    forward: (l, numClasses) => {
      let x = l.stage("stem", layer(l, l.image, "features.0", { out: config.stem, kernel: 3, stride: 2 }));
      for (const [i, row] of stages.entries()) {
        for (let j = 0; j < row[5]; j++) x = block(l, x, `features.${i + 1}.${j}.block`, j === 0 ? row : repeated(row));
        l.stage(`stage${i + 1}`, x);
      }
      x = l.stage("top", layer(l, x, `features.${stages.length + 1}`, { out: config.features, kernel: 1 }));
      const features = l.flatten(l.globalAveragePool(x));
      return { features, classifier: "classifier.1", logits: l.linear(features, "classifier.1", { out: numClasses }) };
    },
  });
}

/** A stage's further blocks keep the resolution. */
function repeated([kind, expansion, kernel, , out, depth]: Row): Row {
  return [kind, expansion, kernel, 1, out, depth];
}

/** An inverted residual with attention to channels, or its fused form; the input is added where the shape allows. */
function block(l: Layers, x: Value, name: string, [kind, expansion, kernel, stride, out]: Row): Value {
  const channels = l.channels(x);
  const wide = divisible(channels * expansion);
  if (kind === "mb") {
    const attention = { squeezed: Math.max(1, Math.floor(channels / 4)), activation: l.silu };
    const names = numberedParts(name, true);
    return invertedResidual(l, x, name, { kernel, stride, wide, out, activation: l.silu, attention, names });
  }
  const widens = wide !== channels;
  let y = layer(l, x, `${name}.0`, { out: widens ? wide : out, kernel, stride });
  if (widens) y = normalizedConv(l, y, pairIn(`${name}.1`), { out, kernel: 1 });
  return stride === 1 && channels === out ? l.add(y, x, `${name}.add`) : y;
}

/** Convolution, normalization and SiLU. */
function layer(l: Layers, x: Value, name: string, options: ConvOptions): Value {
  return l.silu(normalizedConv(l, x, pairIn(name), options));
}
