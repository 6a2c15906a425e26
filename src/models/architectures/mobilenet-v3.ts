/** MobileNetV3: inverted residuals with attention to channels and hard swish, as torchvision and as timm have it. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { divisible } from "./divisible.ts";
import { kaimingNormal, normal, type Scheme, zero } from "./initializers.ts";
import {
  invertedResidual,
  normalizedConv,
  numberedParts,
  type Pair,
  pairIn,
  type ResidualNames,
  TIMM_ATTENTION,
  timmParts,
} from "./inverted-residual.ts";
import type { LayerDefaults, Layers } from "./layers.ts";
import { groupNormal, uniformOut } from "./mobile-initializers.ts";

/** A row of the paper's tables: kernel, channels within and behind, squeeze-and-excitation, activation, stride. */
type Row = readonly [kernel: number, wide: number, out: number, se: boolean, activation: "RE" | "HS", stride: number];

/** What differs between implementations of the same network. */
interface Implementation {
  readonly source: string;
  readonly defaults: LayerDefaults;
  readonly stem: Pair;
  /** Prefix of a block, by its number from 1 and by its place among those of as many channels. */
  readonly block: (index: number, stage: number, place: number) => string;
  readonly parts: (name: string, attends: boolean) => (widens: boolean) => ResidualNames;
  readonly attention: readonly [string, string];
  /** Scheme of depthwise weights; the one of `defaults` if there is none. */
  readonly depthwise?: ((channels: number) => Scheme) | undefined;
  /** The last convolution in front of the pooling, by its number and its stage. */
  readonly top: (index: number, stage: number) => Pair;
  /** The layer behind the pooling, whose output [width] are the features. */
  readonly hidden: (l: Layers, pooled: Value, width: number) => Value;
  readonly classifier: string;
}

const TORCHVISION: Implementation = {
  source: "torchvision.models.mobilenetv3",
  defaults: {
    ...{ conv: kaimingNormal("out"), convBias: zero, linear: normal(0.01), linearBias: zero },
    batchNormEpsilon: 1e-3,
  },
  stem: pairIn("features.0"),
  block: (index) => `features.${index}.block`,
  parts: numberedParts,
  attention: ["fc1", "fc2"],
  top: (index) => pairIn(`features.${index}`),
  hidden: (l, pooled, width) =>
    l.stage("classifier", l.hardSwish(l.linear(l.flatten(pooled), "classifier.0", { out: width }))),
  classifier: "classifier.3",
};

const TIMM: Implementation = {
  source: "timm.models.mobilenetv3",
  defaults: { conv: groupNormal(1), convBias: zero, linear: uniformOut, linearBias: zero, batchNormEpsilon: 1e-5 },
  stem: ["conv_stem", "bn1"],
  block: (_, stage, place) => `blocks.${stage}.${place}`,
  parts: timmParts,
  attention: TIMM_ATTENTION,
  depthwise: groupNormal,
  top: (_, stage) => [`blocks.${stage}.0.conv`, `blocks.${stage}.0.bn1`],
  hidden: (l, pooled, width) =>
    l.stage("head", l.flatten(l.hardSwish(l.conv(pooled, "conv_head", { out: width, kernel: 1, bias: true })))),
  classifier: "classifier",
};

export interface MobileNetV3Config {
  /** Blocks by the number of channels behind them. */
  readonly stages: readonly (readonly Row[])[];
  /** Width of the hidden layer, which gives the features. */
  readonly hidden: number;
  readonly implementation: Implementation;
}

/** Howard et al. 2019, arXiv:1905.02244, table 1. */
const LARGE: readonly (readonly Row[])[] = [
  [[3, 16, 16, false, "RE", 1]],
  [
    [3, 64, 24, false, "RE", 2],
    [3, 72, 24, false, "RE", 1],
  ],
  [
    [5, 72, 40, true, "RE", 2],
    [5, 120, 40, true, "RE", 1],
    [5, 120, 40, true, "RE", 1],
  ],
  [
    [3, 240, 80, false, "HS", 2],
    [3, 200, 80, false, "HS", 1],
    [3, 184, 80, false, "HS", 1],
    [3, 184, 80, false, "HS", 1],
  ],
  [
    [3, 480, 112, true, "HS", 1],
    [3, 672, 112, true, "HS", 1],
  ],
  [
    [5, 672, 160, true, "HS", 2],
    [5, 960, 160, true, "HS", 1],
    [5, 960, 160, true, "HS", 1],
  ],
];

/** Table 2. */
const SMALL: readonly (readonly Row[])[] = [
  [[3, 16, 16, true, "RE", 2]],
  [
    [3, 72, 24, false, "RE", 2],
    [3, 88, 24, false, "RE", 1],
  ],
  [
    [5, 96, 40, true, "HS", 2],
    [5, 240, 40, true, "HS", 1],
    [5, 240, 40, true, "HS", 1],
  ],
  [
    [5, 120, 48, true, "HS", 1],
    [5, 144, 48, true, "HS", 1],
  ],
  [
    [5, 288, 96, true, "HS", 2],
    [5, 576, 96, true, "HS", 1],
    [5, 576, 96, true, "HS", 1],
  ],
];

export const MOBILENET_V3_CONFIGS = {
  mobilenet_v3_small: { stages: SMALL, hidden: 1024, implementation: TORCHVISION },
  mobilenet_v3_large: { stages: LARGE, hidden: 1280, implementation: TORCHVISION },
  mobilenetv3_small_100: { stages: SMALL, hidden: 1024, implementation: TIMM },
  mobilenetv3_large_100: { stages: LARGE, hidden: 1280, implementation: TIMM },
} as const satisfies Record<string, MobileNetV3Config>;

/** MobileNetV3; the features are what the hidden layer behind the pooling gives. */
export function mobilenetV3(name: keyof typeof MOBILENET_V3_CONFIGS): Architecture {
  const { stages, hidden, implementation }: MobileNetV3Config = MOBILENET_V3_CONFIGS[name];
  const { source, defaults, stem, top, classifier } = implementation;
  return architecture({
    name,
    family: "mobilenet_v3",
    source: `arXiv:1905.02244, ${source}`,
    defaults,
    forward: (l, numClasses) => {
      let x = l.hardSwish(normalizedConv(l, l.image, stem, { out: 16, kernel: 3, stride: 2 }));
      let index = 1;
      for (const [i, rows] of stages.entries()) {
        for (const [j, row] of rows.entries()) {
          if (row[5] > 1) l.stage(`stage${l.stages.length + 1}`, x); // a stage ends where the resolution drops
          x = block(l, x, implementation.block(index++, i, j), row, implementation);
        }
      }
      x = l.hardSwish(normalizedConv(l, x, top(index, stages.length), { out: 6 * l.channels(x), kernel: 1 }));
      l.stage(`stage${l.stages.length + 1}`, x);
      const features = implementation.hidden(l, l.globalAveragePool(x), hidden);
      return { features, classifier, logits: l.linear(features, classifier, { out: numClasses }) };
    },
  });
}

function block(l: Layers, x: Value, name: string, row: Row, { parts, attention, depthwise }: Implementation): Value {
  const [kernel, wide, out, se, activation, stride] = row;
  const squeezed = divisible(Math.floor(wide / 4));
  return invertedResidual(l, x, name, {
    ...{ kernel, stride, wide, out },
    activation: activation === "HS" ? l.hardSwish : l.relu,
    attention: se ? { squeezed, activation: l.relu, gate: l.hardSigmoid, layers: attention } : undefined,
    names: parts(name, se),
    init: depthwise?.(wide),
  });
}
