/** Residual networks: ResNet, ResNeXt and Wide ResNet, with the parameter names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { kaimingNormal } from "./initializers.ts";
import type { Layers } from "./layers.ts";

export interface ResNetConfig {
  readonly block: "basic" | "bottleneck";
  /** Blocks of the four stages. */
  readonly depths: readonly [number, number, number, number];
  /** Groups of the 3x3 convolutions in bottlenecks. @default 1 */
  readonly groups?: number | undefined;
  /** Channels of the 3x3 convolutions in the first stage; 64 by default. */
  readonly width?: number | undefined;
}

/** Depths: He et al. 2015, arXiv:1512.03385, table 1. */
export const RESNET_CONFIGS = {
  resnet18: { block: "basic", depths: [2, 2, 2, 2] },
  resnet34: { block: "basic", depths: [3, 4, 6, 3] },
  resnet50: { block: "bottleneck", depths: [3, 4, 6, 3] },
  resnet101: { block: "bottleneck", depths: [3, 4, 23, 3] },
  resnet152: { block: "bottleneck", depths: [3, 8, 36, 3] },
  /** 32 groups of 4 channels: Xie et al. 2016, arXiv:1611.05431. */
  resnext50_32x4d: { block: "bottleneck", depths: [3, 4, 6, 3], groups: 32, width: 128 },
  /** Twice the channels within bottlenecks: Zagoruyko and Komodakis 2016, arXiv:1605.07146. */
  wide_resnet50_2: { block: "bottleneck", depths: [3, 4, 6, 3], width: 128 },
} as const satisfies Record<string, ResNetConfig>;

/** Channels that the four stages give, before a bottleneck's expansion. */
const CHANNELS = [64, 128, 256, 512] as const;
/** A bottleneck gives this many times as many channels. */
const EXPANSION = 4;

/** ResNet v1.5: the stride of a bottleneck is in its 3x3 convolution, as in torchvision. */
export function resnet(name: keyof typeof RESNET_CONFIGS): Architecture {
  const config: ResNetConfig = RESNET_CONFIGS[name];
  return architecture({
    name,
    family: "resnet",
    source: "arXiv:1512.03385, torchvision.models.resnet",
    defaults: { conv: kaimingNormal("out") },
    forward: (l, numClasses) => {
      let x = l.relu(l.batchNorm(l.conv(l.image, "conv1", { out: 64, kernel: 7, stride: 2 }), "bn1"));
      x = l.stage("stem", l.maxPool(x, { kernel: 3, stride: 2, padding: 1 }));
      for (const [i, depth] of config.depths.entries()) {
        for (let j = 0; j < depth; j++)
          x = block(l, x, `layer${i + 1}.${j}`, { config, stage: i, stride: i > 0 && j === 0 ? 2 : 1 });
        l.stage(`layer${i + 1}`, x);
      }
      const features = l.flatten(l.globalAveragePool(x));
      return { features, classifier: "fc", logits: l.linear(features, "fc", { out: numClasses }) };
    },
  });
}

interface Block {
  readonly config: ResNetConfig;
  /** Index of the stage. */
  readonly stage: number;
  readonly stride: number;
}

/** relu(F(x) + x), where x goes through a 1x1 convolution if F changes its shape. */
function block(l: Layers, x: Value, name: string, { config, stage, stride }: Block): Value {
  const channels = CHANNELS[stage]!;
  const width = (channels / 64) * (config.width ?? 64);
  const out = config.block === "basic" ? channels : channels * EXPANSION;
  const layer = (y: Value, i: number, size: { out: number; kernel: number; stride?: number; groups?: number }): Value =>
    l.batchNorm(l.conv(y, `${name}.conv${i}`, size), `${name}.bn${i}`);
  let y: Value;
  if (config.block === "basic") {
    y = l.relu(layer(x, 1, { out, kernel: 3, stride }));
    y = layer(y, 2, { out, kernel: 3 });
  } else {
    y = l.relu(layer(x, 1, { out: width, kernel: 1 }));
    y = l.relu(layer(y, 2, { out: width, kernel: 3, stride, groups: config.groups ?? 1 }));
    y = layer(y, 3, { out, kernel: 1 });
  }
  const shortcut =
    stride === 1 && l.channels(x) === out
      ? x
      : l.batchNorm(l.conv(x, `${name}.downsample.0`, { out, kernel: 1, stride }), `${name}.downsample.1`);
  return l.relu(l.add(y, shortcut, `${name}.add`));
}
