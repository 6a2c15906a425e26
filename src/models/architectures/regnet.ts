/** RegNet-Y: networks of a regular design space, with the parameter names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { kaimingNormal, normal, torchUniform, zero } from "./initializers.ts";
import type { ConvOptions, Layers } from "./layers.ts";
import { squeezeExcitation } from "./squeeze-excitation.ts";

export interface RegNetConfig {
  /** Blocks of the four stages. */
  readonly depths: readonly [number, number, number, number];
  /** Channels of the four stages. */
  readonly widths: readonly [number, number, number, number];
  /** Channels of one group of the 3x3 convolutions. */
  readonly groupWidth: number;
}

/** Radosavovic et al. 2020, arXiv:2003.13678, with depths and widths rounded as torchvision does. */
export const REGNET_CONFIGS = {
  regnet_y_400mf: { depths: [1, 3, 6, 6], widths: [48, 104, 208, 440], groupWidth: 8 },
  regnet_y_800mf: { depths: [1, 3, 8, 2], widths: [64, 144, 320, 784], groupWidth: 16 },
} as const satisfies Record<string, RegNetConfig>;

/** RegNet-Y: every stage begins by halving the resolution. */
export function regnet(name: keyof typeof REGNET_CONFIGS): Architecture {
  const { depths, widths, groupWidth }: RegNetConfig = REGNET_CONFIGS[name];
  return architecture({
    name,
    family: "regnet",
    source: "arXiv:2003.13678, torchvision.models.regnet",
    defaults: { conv: kaimingNormal("out"), convBias: torchUniform, linear: normal(0.01), linearBias: zero },
    forward: (l, numClasses) => {
      let x = l.stage("stem", l.relu(layer(l, l.image, "stem", { out: 32, kernel: 3, stride: 2 })));
      for (const [i, depth] of depths.entries()) {
        const stage = `block${i + 1}`;
        for (let j = 0; j < depth; j++) {
          const size = { out: widths[i]!, stride: j === 0 ? 2 : 1, groups: widths[i]! / groupWidth };
          x = block(l, x, `trunk_output.${stage}.${stage}-${j}`, size);
        }
        l.stage(stage, x);
      }
      const features = l.flatten(l.globalAveragePool(x));
      return { features, classifier: "fc", logits: l.linear(features, "fc", { out: numClasses }) };
    },
  });
}

interface Size {
  readonly out: number;
  readonly stride: number;
  readonly groups: number;
}

/** relu(x + F(x)): 1x1, 3x3 in groups, attention to channels, 1x1; x goes through a 1x1 convolution if F changes its shape. */
function block(l: Layers, x: Value, name: string, { out, stride, groups }: Size): Value {
  const isSame = stride === 1 && l.channels(x) === out;
  const shortcut = isSame ? x : layer(l, x, `${name}.proj`, { out, kernel: 1, stride });
  const squeezed = roundHalfEven(l.channels(x) / 4); // of what comes into the block
  let y = l.relu(layer(l, x, `${name}.f.a`, { out, kernel: 1 }));
  y = l.relu(layer(l, y, `${name}.f.b`, { out, kernel: 3, stride, groups }));
  y = squeezeExcitation(l, y, `${name}.f.se`, { squeezed, activation: l.relu });
  y = layer(l, y, `${name}.f.c`, { out, kernel: 1 });
  return l.relu(l.add(shortcut, y, `${name}.add`));
}

/** Convolution and normalization. */
function layer(l: Layers, x: Value, name: string, options: ConvOptions): Value {
  return l.batchNorm(l.conv(x, `${name}.0`, options), `${name}.1`);
}

/** As Python rounds. */
function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
