/** VGG: blocks of 3x3 convolutions with pooling between them, with the parameter names of torchvision. */
import { type Architecture, architecture } from "./architecture.ts";
import { kaimingNormal, normal, zero } from "./initializers.ts";

export interface VggConfig {
  /** Convolutions of the five blocks. */
  readonly depths: readonly [number, number, number, number, number];
  readonly batchNorm: boolean;
}

/** Depths: Simonyan and Zisserman 2014, arXiv:1409.1556, table 1, columns A, B, D and E. */
export const VGG_CONFIGS = {
  vgg11: { depths: [1, 1, 2, 2, 2], batchNorm: false },
  vgg13: { depths: [2, 2, 2, 2, 2], batchNorm: false },
  vgg16: { depths: [2, 2, 3, 3, 3], batchNorm: false },
  vgg19: { depths: [2, 2, 4, 4, 4], batchNorm: false },
  vgg11_bn: { depths: [1, 1, 2, 2, 2], batchNorm: true },
  vgg13_bn: { depths: [2, 2, 2, 2, 2], batchNorm: true },
  vgg16_bn: { depths: [2, 2, 3, 3, 3], batchNorm: true },
  vgg19_bn: { depths: [2, 2, 4, 4, 4], batchNorm: true },
} as const satisfies Record<string, VggConfig>;

/** Channels of the five blocks. */
const CHANNELS = [64, 128, 256, 512, 512] as const;

/** VGG; its linear layers read 7x7 positions at any input size. Keras's VGG16 and VGG19 are the ones without batch norm. */
export function vgg(name: keyof typeof VGG_CONFIGS): Architecture {
  const { depths, batchNorm }: VggConfig = VGG_CONFIGS[name];
  return architecture({
    name,
    family: "vgg",
    source: "arXiv:1409.1556, torchvision.models.vgg",
    sizes: { minimum: 32 },
    defaults: { conv: kaimingNormal("out"), convBias: zero, linear: normal(0.01), linearBias: zero },
    forward: (l, numClasses) => {
      let x = l.image;
      let index = 0; // torchvision numbers activations and pooling too
      for (const [i, depth] of depths.entries()) {
        for (let j = 0; j < depth; j++) {
          x = l.conv(x, `features.${index++}`, { out: CHANNELS[i]!, kernel: 3, bias: true });
          if (batchNorm) x = l.batchNorm(x, `features.${index++}`);
          x = l.relu(x);
          index++;
        }
        x = l.stage(`block${i + 1}`, l.maxPool(x, { kernel: 2, stride: 2 }));
        index++;
      }
      x = l.flatten(l.adaptiveAveragePool(x, 7));
      x = l.relu(l.linear(x, "classifier.0", { out: 4096 }));
      const features = l.stage("classifier", l.relu(l.linear(x, "classifier.3", { out: 4096 })));
      const logits = l.linear(features, "classifier.6", { out: numClasses });
      return { features, classifier: "classifier.6", logits };
    },
  });
}
