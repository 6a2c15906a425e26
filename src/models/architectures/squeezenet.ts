/** SqueezeNet: few parameters by squeezing channels before 3x3 convolutions, with the parameter names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { kaimingUniform, normal, zero } from "./initializers.ts";
import type { Layers } from "./layers.ts";

export interface SqueezeNetConfig {
  /** Channels and kernel of the first convolution. */
  readonly stem: { readonly out: number; readonly kernel: number };
  /** Squeezed channels of the fire modules between one pooling and the next; each gives eight times as many. */
  readonly fires: readonly (readonly number[])[];
  /** Smallest input in pixels: every pooling has a window to give. */
  readonly minimum: number;
}

/** Iandola et al. 2016, arXiv:1602.07360, and the authors' release 1.1, of 2.4 times fewer operations. */
export const SQUEEZENET_CONFIGS = {
  squeezenet1_0: { stem: { out: 96, kernel: 7 }, fires: [[16, 16, 32], [32, 48, 48, 64], [64]], minimum: 21 },
  squeezenet1_1: {
    stem: { out: 64, kernel: 3 },
    fires: [
      [16, 16],
      [32, 32],
      [48, 48, 64, 64],
    ],
    minimum: 17,
  },
} as const satisfies Record<string, SqueezeNetConfig>;

/** SqueezeNet; its classifier is a 1x1 convolution, rectified and then averaged over all positions. */
export function squeezenet(name: keyof typeof SQUEEZENET_CONFIGS): Architecture {
  const { stem, fires, minimum }: SqueezeNetConfig = SQUEEZENET_CONFIGS[name];
  return architecture({
    name,
    family: "squeezenet",
    source: "arXiv:1602.07360, torchvision.models.squeezenet",
    sizes: { minimum },
    defaults: { conv: kaimingUniform, convBias: zero },
    forward: (l, numClasses) => {
      let x = l.relu(l.conv(l.image, "features.0", { ...stem, stride: 2, padding: 0, bias: true }));
      let index = 2; // behind the convolution and its activation
      for (const [i, squeezes] of fires.entries()) {
        x = l.stage(i === 0 ? "stem" : `block${i}`, l.maxPool(x, { kernel: 3, stride: 2, ceil: true }));
        index++;
        for (const squeeze of squeezes) x = fire(l, x, `features.${index++}`, squeeze);
      }
      l.stage(`block${fires.length}`, x);
      const scores = l.conv(x, "classifier.1", { out: numClasses, kernel: 1, bias: true, init: normal(0.01) });
      return { features: x, classifier: "classifier.1", logits: l.flatten(l.globalAveragePool(l.relu(scores))) };
    },
  });
}

/** A 1x1 convolution to few channels, then 1x1 and 3x3 convolutions side by side. */
function fire(l: Layers, x: Value, name: string, squeeze: number): Value {
  const conv = (y: Value, part: string, out: number, kernel: number): Value =>
    l.relu(l.conv(y, `${name}.${part}`, { out, kernel, bias: true }));
  const squeezed = conv(x, "squeeze", squeeze, 1);
  return l.concat(
    [conv(squeezed, "expand1x1", 4 * squeeze, 1), conv(squeezed, "expand3x3", 4 * squeeze, 3)],
    `${name}.concat`,
  );
}
