/** DenseNet: every layer reads the maps of all layers before it, with the parameter names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { kaimingNormal, zero } from "./initializers.ts";
import type { Layers } from "./layers.ts";

export interface DenseNetConfig {
  /** Layers of the four dense blocks. */
  readonly depths: readonly [number, number, number, number];
  /** Channels that a layer adds. */
  readonly growth: number;
}

/** Huang et al. 2016, arXiv:1608.06993, table 1. */
export const DENSENET_CONFIGS = {
  densenet121: { depths: [6, 12, 24, 16], growth: 32 },
} as const satisfies Record<string, DenseNetConfig>;

/** A layer's 1x1 convolution gives this many times the growth. */
const BOTTLENECK = 4;

/** DenseNet-BC: bottlenecks in every layer, transitions that halve the channels. */
export function densenet(name: keyof typeof DENSENET_CONFIGS): Architecture {
  const { depths, growth }: DenseNetConfig = DENSENET_CONFIGS[name];
  return architecture({
    name,
    family: "densenet",
    source: "arXiv:1608.06993, torchvision.models.densenet",
    sizes: { minimum: 29 },
    defaults: { conv: kaimingNormal("in"), linearBias: zero },
    forward: (l, numClasses) => {
      let x = l.conv(l.image, "features.conv0", { out: 2 * growth, kernel: 7, stride: 2 });
      x = l.relu(l.batchNorm(x, "features.norm0"));
      x = l.stage("stem", l.maxPool(x, { kernel: 3, stride: 2, padding: 1 }));
      for (const [i, depth] of depths.entries()) {
        const block = `features.denseblock${i + 1}`;
        for (let j = 1; j <= depth; j++)
          x = l.concat([x, layer(l, x, `${block}.denselayer${j}`, growth)], `${block}.${j}`);
        x = i + 1 < depths.length ? transition(l, x, `features.transition${i + 1}`) : l.batchNorm(x, "features.norm5");
        l.stage(`denseblock${i + 1}`, x);
      }
      const features = l.flatten(l.globalAveragePool(l.relu(x)));
      return { features, classifier: "classifier", logits: l.linear(features, "classifier", { out: numClasses }) };
    },
  });
}

/** What a layer adds: normalization and activation come before each convolution. */
function layer(l: Layers, x: Value, name: string, growth: number): Value {
  const narrow = l.conv(l.relu(l.batchNorm(x, `${name}.norm1`)), `${name}.conv1`, {
    out: BOTTLENECK * growth,
    kernel: 1,
  });
  return l.conv(l.relu(l.batchNorm(narrow, `${name}.norm2`)), `${name}.conv2`, { out: growth, kernel: 3 });
}

/** Half of the channels at half of the resolution. */
function transition(l: Layers, x: Value, name: string): Value {
  const y = l.conv(l.relu(l.batchNorm(x, `${name}.norm`)), `${name}.conv`, { out: l.channels(x) / 2, kernel: 1 });
  return l.averagePool(y, { kernel: 2, stride: 2 });
}
