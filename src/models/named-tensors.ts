/** The tensors of a weights file as an architecture sees them: under its names, and in its layout. */
import { RootstockError } from "../errors.ts";
import type { Value } from "../graph/graph.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { toFloat32 } from "../weights/elements.ts";
import { stripPrefix } from "../weights/prefix.ts";
import type { TensorSource } from "../weights/tensor-source.ts";
import { fromKeras, KERAS_NETWORKS, kerasShape, kerasTarget } from "./architectures/keras-names.ts";
import type { Network } from "./architectures/network.ts";
import { fitPositions } from "./architectures/position-embedding.ts";
import { timmNames } from "./architectures/timm-names.ts";

/** A tensor of a file that has not been read yet. */
export interface NamedTensor {
  /** Its name in the file. */
  readonly origin: string;
  readonly shape: readonly number[];
  read(): Tensor;
}

/** The tensors of a file by the names of an architecture. */
export interface NamedTensors {
  readonly tensors: ReadonlyMap<Value, NamedTensor>;
  /** The prefix that every name had; "" for none. */
  readonly prefix: string;
}

/**
 * Finds what each tensor of a file is to a network: the name without the prefixes of wrappers, or the one that timm's
 * name stands for; for Keras files the layer and the order of its axes. Where the network's parameter has the same
 * elements and other axes of length 1, as convolutions of a single position have, it takes the network's shape. Position
 * embeddings are resampled for the network's input size. Nothing else is read.
 * @throws RootstockError BAD_MODEL for a Keras file and an architecture whose names in Keras are not known.
 */
export function namedTensors(network: Network, source: TensorSource): NamedTensors {
  if (source.format === "keras") return { tensors: kerasTensors(network.architecture, source), prefix: "" };
  const { prefix, names } = stripPrefix(source.names);
  const ofTimm = new Map([...(timmNames(network) ?? [])].map(([own, other]) => [other, own]));
  const shapes = new Map(network.parameters.map(({ name, shape }) => [name, shape]));
  const tensors = new Map<string, NamedTensor>();
  for (const [i, origin] of source.names.entries()) {
    const given = names[i]!;
    const name = shapes.has(given) ? given : (ofTimm.get(given) ?? given);
    const stored: NamedTensor = { origin, shape: source.info(origin).shape, read: () => source.read(origin) };
    const wanted = shapes.get(name);
    tensors.set(name, wanted === undefined ? stored : fitted(stored, { network, name, wanted }));
  }
  return { tensors, prefix };
}

/** The tensor in the network's shape, where it has another one for the same thing. */
function fitted(
  stored: NamedTensor,
  { network, name, wanted }: { readonly network: Network; readonly name: Value; readonly wanted: readonly number[] },
): NamedTensor {
  const { origin, shape, read } = stored;
  // Two grids of patches may have as many tokens and differ, so sizes alone say nothing of position embeddings.
  const resampled = isEmbedding(network, name) ? fitPositions(network, name, toFloat32(read())) : undefined;
  if (resampled) return { origin, shape: wanted, read: () => resampled };
  if (String(shape) === String(wanted)) return stored;
  const sizes = (axes: readonly number[]): string => String(axes.filter((size) => size !== 1));
  return sizes(shape) === sizes(wanted)
    ? { origin, shape: wanted, read: () => ({ ...read(), shape: wanted }) }
    : stored;
}

function isEmbedding({ parameters }: Network, name: Value): boolean {
  return parameters.some((spec) => spec.name === name && spec.kind === "embedding");
}

/** Whether a tensor of a file is no parameter: counters of batches, and tables that networks compute anew. */
export function isBookkeeping(name: string): boolean {
  return /(^|\.)(num_batches_tracked|relative_position_index|attn_mask)$/.test(name);
}

function kerasTensors(architecture: string, source: TensorSource): Map<string, NamedTensor> {
  if (!Object.hasOwn(KERAS_NETWORKS, architecture)) {
    throw new RootstockError(
      "BAD_MODEL",
      `${source.origin} is a Keras weights file, and its names are known for ${Object.keys(KERAS_NETWORKS).join(", ")} alone, got "${architecture}". Save the whole model in Keras (model.save) and load that instead.`,
    );
  }
  const tensors = new Map<string, NamedTensor>();
  for (const origin of source.names) {
    const target = kerasTarget(architecture as keyof typeof KERAS_NETWORKS, origin); // a key of the table
    if (!target) continue;
    const shape = kerasShape(source.info(origin).shape, target.layout);
    tensors.set(target.name, { origin, shape, read: () => fromKeras(source.read(origin), target.layout) });
  }
  return tensors;
}
