/** MobileNetV2: inverted residuals with linear bottlenecks, with the parameter names of torchvision. */
import { type Architecture, architecture } from "./architecture.ts";
import { kaimingNormal, normal, zero } from "./initializers.ts";
import { invertedResidual, normalizedConv, numberedParts, pairIn, type ResidualNames } from "./inverted-residual.ts";

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
      const stem = { out: 32, kernel: 3, stride: 2 };
      let x = l.relu6(normalizedConv(l, l.image, pairIn("features.0"), stem));
      let index = 1;
      for (const { expansion, out, count, stride } of MOBILENET_V2_BLOCKS) {
        // A stage ends where the next block lowers the resolution.
        if (stride > 1) l.stage(`stage${l.stages.length + 1}`, x);
        for (let j = 0; j < count; j++) {
          const name = `features.${index++}`;
          const size = { kernel: 3, stride: j === 0 ? stride : 1, wide: expansion * l.channels(x), out };
          const names = mobilenetV2Parts(`${name}.conv`);
          x = invertedResidual(l, x, name, { ...size, activation: l.relu6, names });
        }
      }
      x = l.relu6(normalizedConv(l, x, pairIn(`features.${index}`), { out: 1280, kernel: 1 }));
      l.stage(`stage${l.stages.length + 1}`, x);
      const features = l.flatten(l.globalAveragePool(x));
      return { features, classifier: "classifier.1", logits: l.linear(features, "classifier.1", { out: numClasses }) };
    },
  });
}

/** torchvision's names of a block, whose last convolution and normalization are not in a sequence of their own. */
export function mobilenetV2Parts(name: string): (widens: boolean) => ResidualNames {
  return (widens) => {
    const next = widens ? 2 : 1;
    return { ...numberedParts(name, false)(widens), narrow: [`${name}.${next}`, `${name}.${next + 1}`] };
  };
}
