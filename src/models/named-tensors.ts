/** The tensors of a weights file as an architecture sees them: under its names, and in its layout. */
import { RootstockError } from "../errors.ts";
import type { Value } from "../graph/graph.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { toFloat32 } from "../weights/elements.ts";
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
  /** What stands before the names of the network in the file; "" for nothing. */
  readonly prefix: string;
  /** Names of tensors without the prefix: of something beside the network. */
  readonly outside: readonly string[];
}

/**
 * Finds what each tensor of a file is to a network: the name behind the prefix under which the file has most of the
 * network's parameters, or the one that timm's name stands for; for Keras files the layer and the order of its axes.
 * Where the network's parameter has the same elements and other axes of length 1, as convolutions of a single position
 * have, it takes the network's shape. Position embeddings are resampled for the network's input size. A linear layer
 * alone under the classifier's name, such as "fc.1", is the classifier. Nothing else is read.
 * @throws RootstockError BAD_MODEL for a Keras file and an architecture whose names in Keras are not known.
 */
export function namedTensors(network: Network, source: TensorSource): NamedTensors {
  if (source.format === "keras")
    return { tensors: kerasTensors(network.architecture, source), prefix: "", outside: [] };
  const shapes = new Map(network.parameters.map(({ name, shape }) => [name, shape]));
  const ofTimm = new Map([...(timmNames(network) ?? [])].map(([own, other]) => [other, own]));
  const prefix = prefixOf(source.names, (name) => shapes.has(name) || ofTimm.has(name));
  const tensors = new Map<string, NamedTensor>();
  const outside: string[] = [];
  for (const origin of source.names) {
    const given = origin.startsWith(prefix) ? origin.slice(prefix.length) : origin;
    const name = shapes.has(given) ? given : (ofTimm.get(given) ?? given);
    if (!origin.startsWith(prefix) && (!shapes.has(name) || tensors.has(name))) {
      outside.push(origin);
      continue;
    }
    const stored: NamedTensor = { origin, shape: source.info(origin).shape, read: () => source.read(origin) };
    const wanted = shapes.get(name);
    tensors.set(name, wanted === undefined ? stored : fitted(stored, { network, name, wanted }));
  }
  return { tensors: withClassifier(network, tensors), prefix, outside };
}

/** The prefix under which most of the wanted names stand: none where it has as many, else the first in the file. */
function prefixOf(names: readonly string[], isWanted: (name: string) => boolean): string {
  const counts = new Map([["", 0]]);
  for (const name of names) {
    for (let start = 0; start >= 0 && start < name.length; ) {
      if (isWanted(name.slice(start))) {
        const prefix = name.slice(0, start);
        counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
      }
      const dot = name.indexOf(".", start);
      start = dot < 0 ? -1 : dot + 1;
    }
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

/** Beginnings of names that classifiers have. */
const HEADS = /^(classifier|fc|head|heads)\./;

/** Whether a name is one of a classifier's, whichever network it is of. */
export function isOfHead(name: string): boolean {
  return HEADS.test(name);
}

/** The tensors with the one linear layer of fitting width as the classifier, where the network's own is not there. */
function withClassifier(
  { classifier, featureWidth }: Network,
  tensors: ReadonlyMap<Value, NamedTensor>,
): ReadonlyMap<Value, NamedTensor> {
  if (tensors.has(classifier.weight)) return tensors;
  const isLinear = ([name, { shape }]: readonly [string, NamedTensor]): boolean =>
    isOfHead(name) && name.endsWith(".weight") && shape.length === 2 && shape[1] === featureWidth;
  const [linear, ...more] = [...tensors].filter(isLinear);
  if (!linear || more.length > 0) return tensors;
  const named = new Map(tensors);
  const rename = (from: string, to: string | undefined): void => {
    const found = named.get(from);
    if (!found || to === undefined) return;
    named.delete(from);
    named.set(to, found);
  };
  rename(linear[0], classifier.weight);
  rename(linear[0].replace(/weight$/, "bias"), classifier.bias);
  return named;
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

/** The tensors, with their names, that are none of a network's parameters and mean something. */
export function unusedTensors(
  { parameters }: Network,
  tensors: ReadonlyMap<Value, NamedTensor>,
): (readonly [Value, NamedTensor])[] {
  const own = new Set(parameters.map(({ name }) => name));
  return [...tensors].filter(([name]) => !own.has(name) && !isBookkeeping(name));
}

/** Whether a tensor of a file is no parameter: counters, tables that networks compute anew, what only pretraining reads. */
export function isBookkeeping(name: string): boolean {
  return /(^|\.)(num_batches_tracked|relative_position_index|attn_mask|mask_token|n_averaged)$/.test(name);
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
