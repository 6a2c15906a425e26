/** ResNet50 as Keras has it: biased convolutions, strides in the first 1x1 convolution, layers with Keras's names. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { glorotUniform, zero } from "./initializers.ts";
import type { ConvOptions, Layers } from "./layers.ts";

/** Blocks and channels of the stages, which Keras counts from 2. */
const STAGES = [
  { name: "conv2", depth: 3, channels: 64 },
  { name: "conv3", depth: 4, channels: 128 },
  { name: "conv4", depth: 6, channels: 256 },
  { name: "conv5", depth: 3, channels: 512 },
] as const;

/** ResNet v1 (He et al. 2015, arXiv:1512.03385) for the weights of keras.applications.ResNet50; scores before softmax. */
export function kerasResnet50(): Architecture {
  return architecture({
    name: "resnet50_keras",
    family: "resnet",
    source: "arXiv:1512.03385, keras.applications.resnet",
    sizes: { minimum: 32 },
    defaults: {
      conv: glorotUniform,
      convBias: zero,
      linear: glorotUniform,
      linearBias: zero,
      batchNormEpsilon: 1.001e-5,
    },
    forward: (l, numClasses) => {
      let x = l.relu(layer(l, l.image, "conv1", { out: 64, kernel: 7, stride: 2 }));
      // Keras pads with zeros before pooling, which behind ReLU is the same as pooling over what is there.
      x = l.stage("conv1", l.maxPool(x, { kernel: 3, stride: 2, padding: 1 }));
      for (const [i, { name, depth, channels }] of STAGES.entries()) {
        for (let j = 1; j <= depth; j++)
          x = block(l, x, `${name}_block${j}`, { channels, stride: i > 0 && j === 1 ? 2 : 1, projects: j === 1 });
        l.stage(name, x);
      }
      const features = l.flatten(l.globalAveragePool(x, "avg_pool"));
      const logits = l.linear(features, "predictions", { out: numClasses });
      return { features, classifier: "predictions", logits };
    },
  });
}

/** The layers "name_conv" and "name_bn". */
function layer(l: Layers, x: Value, name: string, options: ConvOptions): Value {
  return l.batchNorm(l.conv(x, `${name}_conv`, { ...options, bias: true }), `${name}_bn`);
}

interface Block {
  readonly channels: number;
  readonly stride: number;
  /** Whether the shortcut is a convolution. */
  readonly projects: boolean;
}

function block(l: Layers, x: Value, name: string, { channels, stride, projects }: Block): Value {
  const out = 4 * channels;
  const shortcut = projects ? layer(l, x, `${name}_0`, { out, kernel: 1, stride }) : x;
  let y = l.relu(layer(l, x, `${name}_1`, { out: channels, kernel: 1, stride }));
  y = l.relu(layer(l, y, `${name}_2`, { out: channels, kernel: 3 }));
  return l.relu(l.add(shortcut, layer(l, y, `${name}_3`, { out, kernel: 1 }), `${name}_add`));
}
