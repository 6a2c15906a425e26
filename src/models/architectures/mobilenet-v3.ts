/** MobileNetV3: inverted residuals with attention to channels and hard swish, with the parameter names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { divisible } from "./divisible.ts";
import { kaimingNormal, normal, zero } from "./initializers.ts";
import type { ConvOptions, Layers } from "./layers.ts";

/** A row of the paper's tables: kernel, channels within and behind, squeeze-and-excitation, activation, stride. */
type Row = readonly [kernel: number, wide: number, out: number, se: boolean, activation: "RE" | "HS", stride: number];

export interface MobileNetV3Config {
  readonly blocks: readonly Row[];
  /** Width of the hidden linear layer of the classifier. */
  readonly hidden: number;
}

/** Howard et al. 2019, arXiv:1905.02244, tables 1 and 2. */
export const MOBILENET_V3_CONFIGS = {
  mobilenet_v3_large: {
    blocks: [
      [3, 16, 16, false, "RE", 1],
      [3, 64, 24, false, "RE", 2],
      [3, 72, 24, false, "RE", 1],
      [5, 72, 40, true, "RE", 2],
      [5, 120, 40, true, "RE", 1],
      [5, 120, 40, true, "RE", 1],
      [3, 240, 80, false, "HS", 2],
      [3, 200, 80, false, "HS", 1],
      [3, 184, 80, false, "HS", 1],
      [3, 184, 80, false, "HS", 1],
      [3, 480, 112, true, "HS", 1],
      [3, 672, 112, true, "HS", 1],
      [5, 672, 160, true, "HS", 2],
      [5, 960, 160, true, "HS", 1],
      [5, 960, 160, true, "HS", 1],
    ],
    hidden: 1280,
  },
  mobilenet_v3_small: {
    blocks: [
      [3, 16, 16, true, "RE", 2],
      [3, 72, 24, false, "RE", 2],
      [3, 88, 24, false, "RE", 1],
      [5, 96, 40, true, "HS", 2],
      [5, 240, 40, true, "HS", 1],
      [5, 240, 40, true, "HS", 1],
      [5, 120, 48, true, "HS", 1],
      [5, 144, 48, true, "HS", 1],
      [5, 288, 96, true, "HS", 2],
      [5, 576, 96, true, "HS", 1],
      [5, 576, 96, true, "HS", 1],
    ],
    hidden: 1024,
  },
} as const satisfies Record<string, MobileNetV3Config>;

/** MobileNetV3; the features are what the hidden layer of its classifier gives. */
export function mobilenetV3(name: keyof typeof MOBILENET_V3_CONFIGS): Architecture {
  const { blocks, hidden }: MobileNetV3Config = MOBILENET_V3_CONFIGS[name];
  return architecture({
    name,
    family: "mobilenet_v3",
    source: "arXiv:1905.02244, torchvision.models.mobilenetv3",
    defaults: {
      conv: kaimingNormal("out"),
      convBias: zero,
      linear: normal(0.01),
      linearBias: zero,
      batchNormEpsilon: 1e-3,
    },
    forward: (l, numClasses) => {
      let x = layer(l, l.image, "features.0", { out: 16, kernel: 3, stride: 2 }, "HS");
      for (const [i, row] of blocks.entries()) {
        if (row[5] > 1) l.stage(`stage${l.stages.length + 1}`, x); // a stage ends where the resolution drops
        x = block(l, x, `features.${i + 1}.block`, row);
      }
      x = layer(l, x, `features.${blocks.length + 1}`, { out: 6 * l.channels(x), kernel: 1 }, "HS");
      l.stage(`stage${l.stages.length + 1}`, x);
      x = l.hardSwish(l.linear(l.flatten(l.globalAveragePool(x)), "classifier.0", { out: hidden }));
      const features = l.stage("classifier", x);
      return { features, classifier: "classifier.3", logits: l.linear(features, "classifier.3", { out: numClasses }) };
    },
  });
}

/** Convolution, normalization and activation. */
function layer(l: Layers, x: Value, name: string, options: ConvOptions, activation: "RE" | "HS"): Value {
  const y = l.batchNorm(l.conv(x, `${name}.0`, options), `${name}.1`);
  return activation === "HS" ? l.hardSwish(y) : l.relu(y);
}

function block(l: Layers, x: Value, name: string, [kernel, wide, out, se, activation, stride]: Row): Value {
  let y = x;
  let index = 0;
  if (wide !== l.channels(x)) y = layer(l, y, `${name}.${index++}`, { out: wide, kernel: 1 }, activation);
  y = layer(l, y, `${name}.${index++}`, { out: wide, kernel, stride, groups: wide }, activation);
  if (se) y = squeezeExcitation(l, y, `${name}.${index++}`);
  y = l.batchNorm(l.conv(y, `${name}.${index}.0`, { out, kernel: 1 }), `${name}.${index}.1`);
  return stride === 1 && l.channels(x) === out ? l.add(y, x, `${name}.add`) : y;
}

/** Weighs each channel by a function of the averages of all (Hu et al. 2017, arXiv:1709.01507). */
function squeezeExcitation(l: Layers, x: Value, name: string): Value {
  const channels = l.channels(x);
  const squeezed = l.conv(l.globalAveragePool(x), `${name}.fc1`, {
    out: divisible(Math.floor(channels / 4)),
    kernel: 1,
    bias: true,
  });
  const scale = l.conv(l.relu(squeezed), `${name}.fc2`, { out: channels, kernel: 1, bias: true });
  return l.multiply(x, l.hardSigmoid(scale));
}
