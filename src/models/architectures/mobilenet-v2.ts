/** MobileNetV2: inverted residuals with linear bottlenecks, with the parameter names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { kaimingNormal, normal, zero } from "./initializers.ts";
import type { ConvOptions, Layers } from "./layers.ts";

/** Blocks in a row: Sandler et al. 2018, arXiv:1801.04381, table 2. */
export interface InvertedResiduals {
  /** Channels within a block, as a multiple of those that it reads. */
  readonly expansion: number;
  readonly out: number;
  readonly count: number;
  /** Stride of the first block. */
  readonly stride: number;
}

export const MOBILENET_V2_BLOCKS: readonly InvertedResiduals[] = [
  { expansion: 1, out: 16, count: 1, stride: 1 },
  { expansion: 6, out: 24, count: 2, stride: 2 },
  { expansion: 6, out: 32, count: 3, stride: 2 },
  { expansion: 6, out: 64, count: 4, stride: 2 },
  { expansion: 6, out: 96, count: 3, stride: 1 },
  { expansion: 6, out: 160, count: 3, stride: 2 },
  { expansion: 6, out: 320, count: 1, stride: 1 },
];

/** MobileNetV2 of width 1. */
export function mobilenetV2(): Architecture {
  return architecture({
    name: "mobilenet_v2",
    family: "mobilenet_v2",
    source: "arXiv:1801.04381, torchvision.models.mobilenetv2",
    defaults: { conv: kaimingNormal("out"), linear: normal(0.01), linearBias: zero },
    forward: (l, numClasses) => {
      let x = layer(l, l.image, "features.0", { out: 32, kernel: 3, stride: 2 });
      let index = 1;
      for (const { count, stride, ...size } of MOBILENET_V2_BLOCKS) {
        // A stage ends where the next block lowers the resolution.
        if (stride > 1) l.stage(`stage${l.stages.length + 1}`, x);
        for (let j = 0; j < count; j++)
          x = block(l, x, `features.${index++}`, { ...size, stride: j === 0 ? stride : 1 });
      }
      x = l.stage(`stage${l.stages.length + 1}`, layer(l, x, `features.${index}`, { out: 1280, kernel: 1 }));
      const features = l.flatten(l.globalAveragePool(x));
      return { features, classifier: "classifier.1", logits: l.linear(features, "classifier.1", { out: numClasses }) };
    },
  });
}

/** Convolution, normalization, ReLU6. */
function layer(l: Layers, x: Value, name: string, options: ConvOptions): Value {
  return l.relu6(l.batchNorm(l.conv(x, `${name}.0`, options), `${name}.1`));
}

type Block = Omit<InvertedResiduals, "count">;

/** Expands the channels, convolves each by itself, and projects to few channels without an activation. */
function block(l: Layers, x: Value, name: string, { expansion, out, stride }: Block): Value {
  const wide = expansion * l.channels(x);
  let y = x;
  let index = 0;
  if (expansion > 1) y = layer(l, y, `${name}.conv.${index++}`, { out: wide, kernel: 1 });
  y = layer(l, y, `${name}.conv.${index++}`, { out: wide, kernel: 3, stride, groups: wide });
  y = l.batchNorm(l.conv(y, `${name}.conv.${index}`, { out, kernel: 1 }), `${name}.conv.${index + 1}`);
  return stride === 1 && l.channels(x) === out ? l.add(y, x, `${name}.add`) : y;
}
