/** ConvNeXt: convolutions designed like a transformer, with the parameter names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { type Initializer, truncatedNormal, zero } from "./initializers.ts";
import type { Layers } from "./layers.ts";
import { channelsFirst, channelsLast } from "./tokens.ts";
import { mlp } from "./transformer.ts";

export interface ConvNeXtConfig {
  /** Blocks of the four stages. */
  readonly depths: readonly [number, number, number, number];
  /** Channels of the first stage; each next one has twice as many. */
  readonly width: number;
}

/** Liu et al. 2022, arXiv:2201.03545, section 3. */
export const CONVNEXT_CONFIGS = {
  convnext_tiny: { depths: [3, 3, 9, 3], width: 96 },
  convnext_small: { depths: [3, 3, 27, 3], width: 96 },
  convnext_base: { depths: [3, 3, 27, 3], width: 128 },
} as const satisfies Record<string, ConvNeXtConfig>;

/** Where the learned scales of the branches start. */
const LAYER_SCALE: Initializer = { kind: "constant", value: 1e-6 };

/** ConvNeXt; a stage begins with the layer that halves the resolution. */
export function convnext(name: keyof typeof CONVNEXT_CONFIGS): Architecture {
  const { depths, width }: ConvNeXtConfig = CONVNEXT_CONFIGS[name];
  return architecture({
    name,
    family: "convnext",
    source: "arXiv:2201.03545, torchvision.models.convnext",
    sizes: { minimum: 32 },
    defaults: { conv: truncatedNormal(0.02), convBias: zero, linear: truncatedNormal(0.02), linearBias: zero },
    forward: (l, numClasses) => {
      let x = patches(l, l.image, "features.0.0", { out: width, size: 4 });
      x = l.stage("stem", normalized(l, x, "features.0.1"));
      for (const [i, depth] of depths.entries()) {
        if (i > 0) {
          const name = `features.${2 * i}`;
          x = patches(l, normalized(l, x, `${name}.0`), `${name}.1`, { out: 2 * l.channels(x), size: 2 });
        }
        for (let j = 0; j < depth; j++) x = block(l, x, `features.${2 * i + 1}.${j}`);
        l.stage(`stage${i + 1}`, x);
      }
      const features = l.stage("norm", l.layerNorm(l.flatten(l.globalAveragePool(x)), "classifier.0"));
      return { features, classifier: "classifier.2", logits: l.linear(features, "classifier.2", { out: numClasses }) };
    },
  });
}

/** A convolution over squares that do not overlap. */
function patches(l: Layers, x: Value, name: string, { out, size }: { out: number; size: number }): Value {
  return l.conv(x, name, { out, kernel: size, stride: size, padding: 0, bias: true });
}

/** Layer normalization over the channels of a map [c, h, w]. */
function normalized(l: Layers, x: Value, name: string): Value {
  return channelsFirst(l, l.layerNorm(channelsLast(l, x), name));
}

/** x + scale · F(x): 7x7 depthwise, normalization, and two linear layers at every position. */
function block(l: Layers, x: Value, name: string): Value {
  const channels = l.channels(x);
  const scale = l.parameter(`${name}.layer_scale`, [channels, 1, 1], "scale", LAYER_SCALE);
  const y = l.conv(x, `${name}.block.0`, { out: channels, kernel: 7, groups: channels, bias: true });
  const z = l.layerNorm(channelsLast(l, y), `${name}.block.2`);
  const branch = channelsFirst(l, mlp(l, z, { names: [`${name}.block.3`, `${name}.block.5`] }));
  return l.add(l.multiply(branch, scale), x, `${name}.add`);
}
