/** AlexNet in the form of torchvision: five convolutions, three linear layers, no normalization. */
import { type Architecture, architecture } from "./architecture.ts";
import type { ConvOptions } from "./layers.ts";

/** Convolutions by their place in torchvision's `features`, and whether pooling follows. */
const CONVOLUTIONS: readonly (readonly [index: number, options: ConvOptions, pool: boolean])[] = [
  [0, { out: 64, kernel: 11, stride: 4, padding: 2, bias: true }, true],
  [3, { out: 192, kernel: 5, padding: 2, bias: true }, true],
  [6, { out: 384, kernel: 3, padding: 1, bias: true }, false],
  [8, { out: 256, kernel: 3, padding: 1, bias: true }, false],
  [10, { out: 256, kernel: 3, padding: 1, bias: true }, true],
];

/** AlexNet (Krizhevsky 2014, arXiv:1404.5997, one column); its linear layers read 6x6 positions at any input size. */
export function alexnet(): Architecture {
  return architecture({
    name: "alexnet",
    family: "alexnet",
    source: "arXiv:1404.5997, torchvision.models.alexnet",
    sizes: { minimum: 63 },
    forward: (l, numClasses) => {
      let x = l.image;
      let stages = 0;
      for (const [index, options, pool] of CONVOLUTIONS) {
        x = l.relu(l.conv(x, `features.${index}`, options));
        if (pool) x = l.stage(`block${++stages}`, l.maxPool(x, { kernel: 3, stride: 2 }));
      }
      x = l.flatten(l.adaptiveAveragePool(x, 6));
      x = l.relu(l.linear(x, "classifier.1", { out: 4096 }));
      const features = l.stage("classifier", l.relu(l.linear(x, "classifier.4", { out: 4096 })));
      const logits = l.linear(features, "classifier.6", { out: numClasses });
      return { features, classifier: "classifier.6", logits };
    },
  });
}
