/** How the weights of Keras's own networks are called and laid out in its HDF5 files, and how they become ours. */
import { RootstockError } from "../../errors.ts";
import { formatShape, type Value } from "../../graph/graph.ts";
import type { DType, TypedArray } from "../../tensor/dtype.ts";
import { sizeOf, type Tensor, tensor, zeros } from "../../tensor/tensor.ts";

/**
 * What the axes of a Keras kernel are. "hwio": convolution [h, w, in, out]; "hwc1": depthwise convolution [h, w, c, 1];
 * "io": dense [in, out]; "same": as here; `flattened`: a dense kernel that reads a flattened map [h, w, c], given here
 * as [c, h, w].
 */
export type KerasLayout = "same" | "hwio" | "hwc1" | "io" | { readonly flattened: readonly [number, number, number] };

/** Where a tensor of a Keras file belongs. */
export interface KerasTarget {
  /** Name of our parameter. */
  readonly name: Value;
  readonly layout: KerasLayout;
}

interface KerasNetwork {
  /** Prefix of our parameters by Keras layer; of layers that are not listed, the layer's own name. */
  readonly prefixes?: Readonly<Record<string, string>> | undefined;
  /** Dense layers behind a flattened map, with its shape [c, h, w]. */
  readonly flattened?: Readonly<Record<string, readonly [number, number, number]>> | undefined;
}

/** VGG's convolutions are numbered by block in Keras and by place in torchvision, where activations and pooling count. */
function vggPrefixes(depths: readonly number[]): Record<string, string> {
  const prefixes: Record<string, string> = {};
  let index = 0;
  for (const [i, depth] of depths.entries()) {
    for (let j = 1; j <= depth; j++, index += 2) prefixes[`block${i + 1}_conv${j}`] = `features.${index}`;
    index++;
  }
  return { ...prefixes, fc1: "classifier.0", fc2: "classifier.3", predictions: "classifier.6" };
}

/** Names of the last layer in files that were written by earlier versions of keras.applications. */
const PREDICTIONS = { probs: "predictions", fc1000: "predictions", Logits: "predictions" };

/** The networks of keras.applications that there are weights="imagenet" files for, by the architecture they fit. */
export const KERAS_NETWORKS = {
  vgg16: { prefixes: vggPrefixes([2, 2, 3, 3, 3]), flattened: { fc1: [512, 7, 7] } },
  vgg19: { prefixes: vggPrefixes([2, 2, 4, 4, 4]), flattened: { fc1: [512, 7, 7] } },
  resnet50_keras: { prefixes: PREDICTIONS },
  mobilenet_v2_035_keras: { prefixes: PREDICTIONS },
  mobilenet_v2_050_keras: { prefixes: PREDICTIONS },
  mobilenet_v2_075_keras: { prefixes: PREDICTIONS },
  mobilenet_v2_keras: { prefixes: PREDICTIONS },
  mobilenet_v2_130_keras: { prefixes: PREDICTIONS },
  mobilenet_v2_140_keras: { prefixes: PREDICTIONS },
} as const satisfies Record<string, KerasNetwork>;

/** Our leaf of a name by Keras's variable, with those of Keras 1, whose "running_std" is the variance. */
const LEAVES: Readonly<Record<string, string>> = {
  kernel: "weight",
  depthwise_kernel: "weight",
  W: "weight",
  bias: "bias",
  b: "bias",
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  running_mean: "running_mean",
  moving_variance: "running_var",
  running_std: "running_var",
};

/**
 * Where a tensor of a Keras file belongs in an architecture; undefined where the path names no variable of a layer.
 * @param path as in the file: "block1_conv1/block1_conv1/kernel:0", or "block1_conv1/block1_conv1_W_1:0" of Keras 1,
 * with or without "model_weights/" before it.
 */
export function kerasTarget(architecture: keyof typeof KERAS_NETWORKS, path: string): KerasTarget | undefined {
  const { prefixes, flattened }: KerasNetwork = KERAS_NETWORKS[architecture];
  const parts = path.replace(/^\/?(?:model_weights\/)?/, "").split("/");
  const layer = parts[0]!;
  const variable = variableOf(layer, parts.at(-1)!);
  if (parts.length < 2 || variable === undefined) return undefined;
  const prefix = (prefixes && own(prefixes, layer)) ?? layer;
  const leaf = LEAVES[variable]!;
  const map = flattened && own(flattened, layer);
  return {
    name: `${prefix}.${leaf}`,
    layout: map && leaf === "weight" ? { flattened: map } : layoutOf(layer, variable),
  };
}

/** "kernel" of "kernel:0", of "block1_conv1_W_1:0" and of "fc1_W:0". */
function variableOf(layer: string, leaf: string): string | undefined {
  const bare = leaf.replace(/:\d+$/, "");
  const name = (bare.startsWith(`${layer}_`) ? bare.slice(layer.length + 1) : bare).replace(/_\d+$/, "");
  return Object.hasOwn(LEAVES, name) ? name : undefined;
}

function layoutOf(layer: string, variable: string): KerasLayout {
  if (LEAVES[variable] !== "weight" || variable === "gamma") return "same";
  if (variable === "depthwise_kernel" || layer.endsWith("_depthwise")) return "hwc1"; // Keras 3 calls both "kernel"
  return /^(?:fc\d+|predictions|probs|Logits)$/.test(layer) ? "io" : "hwio";
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Our shape of a Keras tensor, without reading it; a shape that does not go with the layout stays as it is. */
export function kerasShape(shape: readonly number[], layout: KerasLayout): readonly number[] {
  const [first, second, from, to] = shape;
  if (typeof layout === "object")
    return shape.length === 2 && first === sizeOf(layout.flattened) ? [second!, first] : shape;
  if (layout === "io") return shape.length === 2 ? [second!, first!] : shape;
  if (layout === "same" || shape.length !== 4) return shape;
  if (layout === "hwio") return [to!, from!, first!, second!];
  return to === 1 ? [from!, 1, first!, second!] : shape;
}

/**
 * A Keras tensor in our layout: [out, in, h, w] for convolutions, [out, in] for linear layers.
 * @throws RootstockError SHAPE_MISMATCH if its shape does not go with the layout.
 */
export function fromKeras<D extends DType>(source: Tensor<D>, layout: KerasLayout): Tensor<D> {
  if (layout === "same") return source;
  const { dtype, shape } = source;
  const result = kerasShape(shape, layout);
  if (result === shape) {
    const wanted = typeof layout === "object" ? `[${sizeOf(layout.flattened)}, out]` : `[${LAYOUT_AXES[layout]}]`;
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `a kernel of this Keras layer requires ${wanted}, got ${formatShape(shape)}. The file is of another network.`,
    );
  }
  return tensor(dtype, result, reversed(source, axesOf(shape, layout)));
}

const LAYOUT_AXES = { hwio: "h, w, in, out", hwc1: "h, w, c, 1", io: "in, out" } as const;

/** The axes of a kernel as positions, inputs and outputs: all three are reversed in our layout. */
function axesOf(shape: readonly number[], layout: KerasLayout): readonly [number, number, number] {
  const out = shape.at(-1)!;
  if (layout === "io") return [shape[0]!, 1, out];
  if (typeof layout !== "object") return [shape[0]! * shape[1]!, shape[2]!, out];
  const [channels, height, width] = layout.flattened;
  return [height * width, channels, out];
}

/** Positions that are read at a time, so that what is written lies within the cache. */
const TILE = 32;

/** The elements of an array [a, b, c] in the order of [c, b, a]. */
function reversed<D extends DType>(
  { dtype, data }: Tensor<D>,
  [a, b, c]: readonly [number, number, number],
): TypedArray<D> {
  const out = zeros(dtype, [data.length]).data;
  for (let j = 0; j < b; j++)
    for (let i0 = 0; i0 < a; i0 += TILE)
      for (let k0 = 0; k0 < c; k0 += TILE)
        for (let i = i0; i < Math.min(a, i0 + TILE); i++)
          for (let k = k0; k < Math.min(c, k0 + TILE); k++) out[(k * b + j) * a + i] = data[(i * b + j) * c + k]!;
  return out;
}
