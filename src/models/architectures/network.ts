/** An architecture built for one input size and number of classes: its topology, and what its parameters are called. */
import { listed, RootstockError } from "../../errors.ts";
import { formatShape, type Graph, type Value } from "../../graph/graph.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Initializer } from "./initializers.ts";

/** What a parameter does. Running statistics do not train. */
export type ParameterSpecKind =
  | "weight"
  | "bias"
  | "scale"
  | "shift"
  | "embedding"
  | "running-mean"
  | "running-variance";

/** A parameter or running statistic, float32, without its value. */
export interface ParameterSpec {
  /** As in the source checkpoint: "layer1.0.conv1.weight". */
  readonly name: Value;
  readonly shape: readonly number[];
  readonly kind: ParameterSpecKind;
  /** How the reference implementation fills it before training. */
  readonly init: Initializer;
}

/** A part of a network that works at one resolution, or that the paper gives a name. */
export interface NetworkStage {
  /** "stem", "layer1": as the source checkpoint's names begin, where they do. */
  readonly name: string;
  /** The value that it computes. */
  readonly output: Value;
  /** Shape of that value, without the batch. */
  readonly shape: readonly number[];
  /** Names of its parameters and running statistics, in state-dict order. */
  readonly parameters: readonly Value[];
}

/** The layer that makes the scores. */
export interface NetworkClassifier {
  /** [classes, width], or [classes, width, 1, 1] where it is a convolution. */
  readonly weight: Value;
  readonly bias: Value | undefined;
}

/** A built architecture. It holds no weights: `withWeights` gives the graph that runs. */
export interface Network {
  /** Name of the architecture: "resnet50". */
  readonly architecture: string;
  /** [height, width] in pixels. */
  readonly inputSize: readonly [number, number];
  readonly numClasses: number;
  /** From "input" [batch, 3, h, w] and all parameters, as inputs, to "logits" [batch, classes]. */
  readonly topology: Graph;
  /** In state-dict order. Integer counters such as PyTorch's num_batches_tracked are not among them. */
  readonly parameters: readonly ParameterSpec[];
  /** From the image to the features, in order: every parameter in front of the features is in exactly one. */
  readonly stages: readonly NetworkStage[];
  /** The weights of the first layer, [out, 3, kernel, kernel]. */
  readonly stem: Value;
  /** What the classifier reads: [batch, width], or the map [batch, width, h, w] before its convolution. */
  readonly features: Value;
  readonly featureWidth: number;
  readonly classifier: NetworkClassifier;
}

/** Names of a network's input and output. */
export const INPUT: Value = "input";
export const LOGITS: Value = "logits";

/** Whether training may change a parameter; running statistics follow the data instead. */
export function isTrainable({ kind }: ParameterSpec): boolean {
  return kind !== "running-mean" && kind !== "running-variance";
}

/**
 * The graph of a network with these weights as its initializers, by the names of its parameters. Nothing is copied.
 * @throws RootstockError SHAPE_MISMATCH if a parameter is missing or not float32 of its shape: all of them are listed.
 */
export function withWeights(
  { architecture, topology, parameters }: Network,
  weights: ReadonlyMap<Value, Tensor>,
): Graph {
  const wrong = parameters.flatMap(({ name, shape }) => {
    const got = weights.get(name);
    if (!got) return [`"${name}" ${formatShape(shape)} is missing`];
    if (got.dtype === "float32" && String(got.shape) === String(shape)) return [];
    return [`"${name}" is ${got.dtype} ${formatShape(got.shape)} instead of float32 ${formatShape(shape)}`];
  });
  if (wrong.length > 0) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `${architecture} requires ${parameters.length} weights by name, but ${listed(wrong)}. Map the source's names first, or choose the architecture that it is of.`,
    );
  }
  const initializers = new Map(topology.initializers);
  for (const { name } of parameters) initializers.set(name, weights.get(name)!);
  return { ...topology, inputs: topology.inputs.slice(0, 1), initializers };
}
