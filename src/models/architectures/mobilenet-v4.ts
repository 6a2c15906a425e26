/** MobileNetV4: universal inverted bottlenecks, with the parameter names of timm. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { divisible } from "./divisible.ts";
import { zero } from "./initializers.ts";
import { normalizedConv } from "./inverted-residual.ts";
import type { ConvOptions, Layers } from "./layers.ts";
import { groupNormal, uniformOut } from "./mobile-initializers.ts";

/** A plain convolution, or a bottleneck with depthwise convolutions before and between its 1x1 ones where not 0. */
type Row =
  | readonly [kind: "conv", kernel: number, stride: number, out: number]
  | readonly [kind: "uib", before: number, between: number, stride: number, expansion: number, out: number];

export interface MobileNetV4Config {
  /** Channels of the first convolution. */
  readonly stem: number;
  /** Blocks by resolution. */
  readonly stages: readonly (readonly Row[])[];
}

/** Qin et al. 2024, arXiv:2404.10518, table 10, with the strides of timm. */
export const MOBILENET_V4_CONFIGS = {
  mobilenetv4_conv_small: {
    stem: 32,
    stages: [
      [
        ["conv", 3, 2, 32],
        ["conv", 1, 1, 32],
      ],
      [
        ["conv", 3, 2, 96],
        ["conv", 1, 1, 64],
      ],
      [
        ["uib", 5, 5, 2, 3, 96],
        ["uib", 0, 3, 1, 2, 96],
        ["uib", 0, 3, 1, 2, 96],
        ["uib", 0, 3, 1, 2, 96],
        ["uib", 0, 3, 1, 2, 96],
        ["uib", 3, 0, 1, 4, 96],
      ],
      [
        ["uib", 3, 3, 2, 6, 128],
        ["uib", 5, 5, 1, 4, 128],
        ["uib", 0, 5, 1, 4, 128],
        ["uib", 0, 5, 1, 3, 128],
        ["uib", 0, 3, 1, 4, 128],
        ["uib", 0, 3, 1, 4, 128],
      ],
      [["conv", 1, 1, 960]],
    ],
  },
} as const satisfies Record<string, MobileNetV4Config>;

/** Width of the features. */
const HIDDEN = 1280;

/** MobileNetV4; the features are what the 1x1 convolution behind the pooling gives. */
export function mobilenetV4(name: keyof typeof MOBILENET_V4_CONFIGS): Architecture {
  const { stem, stages }: MobileNetV4Config = MOBILENET_V4_CONFIGS[name];
  return architecture({
    name,
    family: "mobilenet_v4",
    source: "arXiv:2404.10518, timm.models.mobilenetv3",
    defaults: { conv: groupNormal(1), linear: uniformOut, linearBias: zero },
    forward: (l, numClasses) => {
      const first = normalizedConv(l, l.image, ["conv_stem", "bn1"], { out: stem, kernel: 3, stride: 2 });
      let x = l.stage("stem", l.relu(first));
      for (const [i, rows] of stages.entries()) {
        for (const [j, row] of rows.entries()) x = block(l, x, `blocks.${i}.${j}`, row);
        l.stage(`blocks${i}`, x);
      }
      const wide = normalizedConv(l, l.globalAveragePool(x), ["conv_head", "norm_head"], { out: HIDDEN, kernel: 1 });
      const features = l.stage("head", l.flatten(l.relu(wide)));
      return { features, classifier: "classifier", logits: l.linear(features, "classifier", { out: numClasses }) };
    },
  });
}

function block(l: Layers, x: Value, name: string, row: Row): Value {
  if (row[0] === "conv") {
    const [, kernel, stride, out] = row;
    return l.relu(normalizedConv(l, x, [`${name}.conv`, `${name}.bn1`], { out, kernel, stride }));
  }
  const [, before, between, stride, expansion, out] = row;
  const channels = l.channels(x);
  const wide = divisible(channels * expansion);
  let y = x;
  if (before > 0) {
    const step = between > 0 ? 1 : stride;
    y = layer(l, y, `${name}.dw_start`, { out: channels, kernel: before, stride: step, groups: channels });
  }
  y = l.relu(layer(l, y, `${name}.pw_exp`, { out: wide, kernel: 1 }));
  if (between > 0) y = l.relu(layer(l, y, `${name}.dw_mid`, { out: wide, kernel: between, stride, groups: wide }));
  y = layer(l, y, `${name}.pw_proj`, { out, kernel: 1 });
  return stride === 1 && channels === out ? l.add(y, x, `${name}.add`) : y;
}

/** Convolution and normalization. */
function layer(l: Layers, x: Value, name: string, options: ConvOptions): Value {
  const init = options.groups === undefined ? undefined : groupNormal(options.groups);
  return normalizedConv(l, x, [`${name}.conv`, `${name}.bn`], { ...options, init });
}
