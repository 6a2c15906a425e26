/** MobileNetV2 as Keras has it: TensorFlow's padding, epsilon 1e-3, any width, layers with Keras's names. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { divisible } from "./divisible.ts";
import { glorotUniform, zero } from "./initializers.ts";
import { normalizedConv } from "./inverted-residual.ts";
import type { ConvOptions, Layers } from "./layers.ts";
import { type InvertedResiduals, MOBILENET_V2_BLOCKS } from "./mobilenet-v2.ts";

/** Widths that Keras publishes weights of: factors of the number of channels. */
export const KERAS_MOBILENET_V2_CONFIGS = {
  mobilenet_v2_035_keras: { alpha: 0.35 },
  mobilenet_v2_050_keras: { alpha: 0.5 },
  mobilenet_v2_075_keras: { alpha: 0.75 },
  mobilenet_v2_keras: { alpha: 1 },
  mobilenet_v2_130_keras: { alpha: 1.3 },
  mobilenet_v2_140_keras: { alpha: 1.4 },
} as const satisfies Record<string, { readonly alpha: number }>;

/** MobileNetV2 (arXiv:1801.04381) for the weights of keras.applications.MobileNetV2; scores before softmax. */
export function kerasMobilenetV2(name: keyof typeof KERAS_MOBILENET_V2_CONFIGS): Architecture {
  const { alpha } = KERAS_MOBILENET_V2_CONFIGS[name];
  return architecture({
    name,
    family: "mobilenet_v2",
    source: "arXiv:1801.04381, keras.applications.mobilenet_v2",
    sizes: { minimum: 32 },
    defaults: {
      conv: glorotUniform,
      linear: glorotUniform,
      linearBias: zero,
      batchNormEpsilon: 1e-3,
    },
    forward: (l, numClasses) => {
      const stem = { out: divisible(32 * alpha), kernel: 3, stride: 2, padding: "same" } as const;
      let x = l.relu6(normalizedConv(l, l.image, ["Conv1", "bn_Conv1"], stem));
      let index = 0;
      for (const { count, stride, out, expansion } of MOBILENET_V2_BLOCKS) {
        if (stride > 1) l.stage(`stage${l.stages.length + 1}`, x); // a stage ends where the resolution drops
        for (let j = 0; j < count; j++, index++) {
          const prefix = index === 0 ? "expanded_conv" : `block_${index}`;
          x = block(l, x, prefix, { expansion, out: divisible(Math.floor(out * alpha)), stride: j === 0 ? stride : 1 });
        }
      }
      const last = { out: alpha > 1 ? divisible(1280 * alpha) : 1280, kernel: 1 };
      x = l.relu6(normalizedConv(l, x, ["Conv_1", "Conv_1_bn"], last));
      l.stage(`stage${l.stages.length + 1}`, x);
      const features = l.flatten(l.globalAveragePool(x));
      const logits = l.linear(features, "predictions", { out: numClasses });
      return { features, classifier: "predictions", logits };
    },
  });
}

/** As in mobilenet-v2.ts; odd pixels of padding are behind the map where the stride is 2. */
function block(l: Layers, x: Value, name: string, { expansion, out, stride }: Omit<InvertedResiduals, "count">): Value {
  const part = (y: Value, what: string, options: ConvOptions): Value =>
    normalizedConv(l, y, [`${name}_${what}`, `${name}_${what}_BN`], options);
  const wide = expansion * l.channels(x);
  let y = expansion > 1 ? l.relu6(part(x, "expand", { out: wide, kernel: 1 })) : x;
  // Glorot's fans of Keras's depthwise kernel [3, 3, c, 1]: all channels in, one out.
  const depthwise = () => glorotUniform({ in: 9 * wide, out: 9 });
  y = l.relu6(part(y, "depthwise", { out: wide, kernel: 3, stride, padding: "same", groups: wide, init: depthwise }));
  y = part(y, "project", { out, kernel: 1 });
  return stride === 1 && l.channels(x) === out ? l.add(x, y, `${name}_add`) : y;
}
