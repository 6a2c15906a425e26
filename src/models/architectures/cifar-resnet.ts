/** The residual networks for CIFAR-10 of the ResNet paper, with the parameter names of akamaster's checkpoints. */
import { ints } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { kaimingNormal } from "./initializers.ts";
import type { Layers } from "./layers.ts";

/** Blocks per stage: He et al. 2015, arXiv:1512.03385, section 4.2. */
export const CIFAR_RESNET_CONFIGS = {
  resnet20_cifar10: { depth: 3 },
  resnet32_cifar10: { depth: 5 },
  resnet44_cifar10: { depth: 7 },
  resnet56_cifar10: { depth: 9 },
  resnet110_cifar10: { depth: 18 },
} as const satisfies Record<string, { readonly depth: number }>;

/** Channels of the three stages. */
const CHANNELS = [16, 32, 64] as const;

/** ResNet for 32x32 images; its shortcuts have no parameters (the paper's option A). */
export function cifarResnet(name: keyof typeof CIFAR_RESNET_CONFIGS): Architecture {
  const { depth } = CIFAR_RESNET_CONFIGS[name];
  return architecture({
    name,
    family: "cifar_resnet",
    source: "arXiv:1512.03385, github.com/akamaster/pytorch_resnet_cifar10",
    inputSize: [32, 32],
    numClasses: 10,
    defaults: { conv: kaimingNormal("in"), linear: kaimingNormal("in") },
    forward: (l, numClasses) => {
      let x = l.relu(l.batchNorm(l.conv(l.image, "conv1", { out: 16, kernel: 3 }), "bn1"));
      l.stage("stem", x);
      for (const [i, out] of CHANNELS.entries()) {
        for (let j = 0; j < depth; j++) x = block(l, x, `layer${i + 1}.${j}`, out);
        l.stage(`layer${i + 1}`, x);
      }
      const features = l.flatten(l.globalAveragePool(x));
      return { features, classifier: "linear", logits: l.linear(features, "linear", { out: numClasses }) };
    },
  });
}

/** relu(F(x) + x); where the channels double, x is every second position, with zeros for half of the channels. */
function block(l: Layers, x: Value, name: string, out: number): Value {
  const from = l.channels(x);
  const stride = from === out ? 1 : 2;
  const first = l.relu(l.batchNorm(l.conv(x, `${name}.conv1`, { out, kernel: 3, stride }), `${name}.bn1`));
  const second = l.batchNorm(l.conv(first, `${name}.conv2`, { out, kernel: 3 }), `${name}.bn2`);
  return l.relu(l.add(second, from === out ? x : shortcut(l, x, l.shapeOf(second)), `${name}.add`));
}

function shortcut(l: Layers, x: Value, shape: readonly number[]): Value {
  const { b } = l;
  const side = (shape[0]! - l.channels(x)) / 2;
  // Pooling with windows of one position: a strided slice that every provider has fast kernels for.
  const thinned = b.op("AveragePool", [x], { kernel_shape: ints([1, 1]), strides: ints([2, 2]) }, "shortcut");
  return l.shaped(b.op("Pad", [thinned, b.ints([0, side, 0, 0, 0, side, 0, 0])], {}, "pad"), shape);
}
