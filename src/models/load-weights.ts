/** Puts the tensors of a weights file into an architecture, by name, and says what did not fit. */
import { listed, RootstockError } from "../errors.ts";
import { formatShape, type Graph, type Value } from "../graph/graph.ts";
import { inferTypes } from "../graph/infer-types.ts";
import { subgraph } from "../graph/traverse.ts";
import { type Tensor, zeros } from "../tensor/tensor.ts";
import { toFloat32 } from "../weights/elements.ts";
import type { TensorSource } from "../weights/tensor-source.ts";
import type { Architecture } from "./architectures/architecture.ts";
import { initialize } from "./architectures/initializers.ts";
import { type Network, type ParameterSpec, withWeights } from "./architectures/network.ts";
import { isBookkeeping, type NamedTensor, namedTensors, unusedTensors } from "./named-tensors.ts";

export interface LoadWeightsOptions {
  /** [height, width] in pixels. @default the architecture's own */
  readonly inputSize?: readonly [number, number] | undefined;
  /** Classes of the new head; a head of another size in the file is not used. @default those of the file */
  readonly numClasses?: number | undefined;
  /** Decides the values of a head that the file does not have. @default 0 */
  readonly seed?: number | undefined;
}

/** A network with its weights. */
export interface LoadedNetwork {
  readonly network: Network;
  /**
   * From the image to "logits", with the weights as initializers under the names of the source checkpoint; to the
   * network's features where neither the file has a classifier nor the caller asked for one.
   */
  readonly graph: Graph;
  /** What a person should know: prefixes that were taken away, tensors that were not used, a head that is new. */
  readonly notes: readonly string[];
}

/**
 * Builds an architecture and fills it from a file: safetensors and torch files by name, without the prefixes of wrappers;
 * Keras files by layer, from its layout to ours. float16 and float64 become float32.
 * @throws RootstockError BAD_MODEL if a parameter other than the head's is missing or of another shape: every one is
 * named. Tensors that the architecture does not have are noted.
 */
export function loadWeights(
  architecture: Architecture,
  source: TensorSource,
  { inputSize, numClasses, seed = 0 }: LoadWeightsOptions = {},
): LoadedNetwork {
  const published = architecture.build({ inputSize });
  const { tensors, prefix, outside } = namedTensors(published, source);
  const inFile = tensors.get(published.classifier.weight)?.shape[0];
  const network = architecture.build({ inputSize, numClasses: numClasses ?? inFile });
  const head = new Set([network.classifier.weight, network.classifier.bias]);
  const fits = ({ name, shape }: ParameterSpec): boolean => String(tensors.get(name)?.shape) === String(shape);
  const unfit = network.parameters.filter((spec) => !fits(spec));
  const { bias } = network.classifier;
  const unbiased = unfit.length === 1 && unfit[0]!.name === bias && !tensors.has(bias); // trained without one
  const wrong = unfit.filter(({ name }) => !head.has(name)).map((spec) => fault(spec, tensors.get(spec.name)));
  if (wrong.length > 0) throw mismatch(network, source, tensors, wrong);
  const headless = inFile === undefined && numClasses === undefined;
  const isNew = unfit.length > 0 && !unbiased; // then the whole head is: a new weight beside an old bias would mean nothing
  const untrained = network.parameters.filter(({ name }) => isNew && head.has(name));
  const weights = new Map<Value, Tensor>(initialize(untrained, seed));
  if (unbiased) weights.set(unfit[0]!.name, zeros("float32", unfit[0]!.shape));
  for (const { name } of network.parameters)
    if (!weights.has(name)) weights.set(name, toFloat32(tensors.get(name)!.read()));
  return {
    network,
    graph: headless ? featuresOf(network, withWeights(network, weights)) : withWeights(network, weights),
    notes: [
      ...source.notes,
      ...prefixNote(prefix),
      ...headNote(network, { inFile, isNew, headless }),
      ...unusedNote(network, tensors, outside),
    ],
  };
}

function fault({ name, shape }: ParameterSpec, entry: NamedTensor | undefined): string {
  if (!entry) return `"${name}" ${formatShape(shape)} is missing`;
  return `"${name}" is ${formatShape(entry.shape)} instead of ${formatShape(shape)}`;
}

function mismatch(
  network: Network,
  source: TensorSource,
  tensors: ReadonlyMap<string, NamedTensor>,
  wrong: readonly string[],
): RootstockError {
  const unused = unusedNote(network, tensors).map((note) => ` ${note}.`);
  const total = network.parameters.length;
  return new RootstockError(
    "BAD_MODEL",
    `${source.origin} does not fit ${network.architecture}: of ${total} parameters ${wrong.length} do not: ${listed(wrong, 20)}.${unused.join("")} Choose the architecture that the file is of.`,
  );
}

function prefixNote(prefix: string): string[] {
  return prefix === "" ? [] : [`the prefix "${prefix}" before the names was taken away`];
}

/** The network without the classifier that its file does not have: from the image to the features. */
function featuresOf({ features }: Network, graph: Graph): Graph {
  const type = inferTypes(graph).get(features)!; // a value of the network
  return subgraph(graph, graph.inputs, [{ name: features, ...type }]);
}

interface Head {
  /** Classes of the file's classifier. */
  readonly inFile: number | undefined;
  readonly isNew: boolean;
  readonly headless: boolean;
}

function headNote({ classifier, numClasses }: Network, { inFile, isNew, headless }: Head): string[] {
  if (headless) return ["the file has no classifier: the network ends with its features"];
  if (!isNew) return [];
  const old = inFile === undefined ? "the file has none" : `the file's has ${inFile} classes`;
  return [`the classifier "${classifier.weight}" with ${numClasses} classes is new and untrained: ${old}`];
}

/** Tensors of the file that the architecture does not have. */
function unusedNote(
  network: Network,
  tensors: ReadonlyMap<string, NamedTensor>,
  outside: readonly string[] = [],
): string[] {
  const names = [
    ...unusedTensors(network, tensors).map(([, { origin, shape }]) => `"${origin}" ${formatShape(shape)}`),
    ...outside.filter((name) => !isBookkeeping(name)).map((name) => `"${name}"`),
  ];
  return names.length === 0 ? [] : [`${names.length} tensors of the file are not used: ${listed(names, 20)}`];
}
