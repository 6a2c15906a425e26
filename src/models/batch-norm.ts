/** What batch normalization does while a backbone trains: keep its statistics, train only its scales, or follow the data. */
import { RootstockError } from "../errors.ts";
import { type Attributes, float, int } from "../graph/attributes.ts";
import type { Graph, Node, Shape, Value, ValueInfo, ValueType } from "../graph/graph.ts";
import { inferTypes } from "../graph/infer-types.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { tensor } from "../tensor/tensor.ts";
import { foldBatchNorm, isFrozenBatchNorm } from "./fold-batch-norm.ts";
import type { Parameters } from "./head.ts";
import { withConstants } from "./trainable-graph.ts";

/** Policies that a suffix is trained with: see `withBatchNorm`. */
export const BATCH_NORM_POLICIES = ["freeze", "affine", "train"] as const;
export type BatchNormPolicy = (typeof BATCH_NORM_POLICIES)[number];

/** What a network has of batch normalization. */
export interface BatchNormSummary {
  /** BatchNormalization nodes in inference form. */
  readonly count: number;
  /** Convolutions, and how many of them have a bias, as they do after normalization was folded into them. */
  readonly convolutions: number;
  readonly biased: number;
}

/** The statistics of one BatchNormalization node in training form. */
export interface BatchStatistics {
  readonly node: string;
  /** Running statistics [channels]: names of initializers of the backbone, and of inputs of the evaluation graph. */
  readonly mean: Value;
  readonly variance: Value;
  /** Outputs of the training graph: mean and biased variance of the batch, [channels]. */
  readonly batchMean: Value;
  readonly batchVariance: Value;
  /** Elements per channel and image. */
  readonly positions: number;
}

/** A suffix that is ready to be differentiated. */
export interface NormalizedSuffix {
  /** From START and the parameters to FEATURES, and the statistics of the batch where there are any. */
  readonly training: Graph;
  /** The same function for prediction; from START, the parameters and the running statistics. */
  readonly evaluation: Graph;
  /** What trains. */
  readonly parameters: Parameters;
  readonly statistics: readonly BatchStatistics[];
  /** Values of the running statistics by name: copies, to be updated in place by `updateStatistics`. */
  readonly running: Parameters;
}

/** A suffix with its parameters as inputs, as `trainableGraph` gives it. */
export interface ParameterizedSuffix {
  readonly suffix: Graph;
  readonly parameters: Parameters;
}

/** Counts the BatchNormalization nodes of a graph, and the convolutions that they may have been folded into. */
export function describeBatchNorm(graph: Graph): BatchNormSummary {
  const convolutions = graph.nodes.filter(({ op, domain }) => op === "Conv" && domain === "");
  return {
    count: graph.nodes.filter(isFrozenBatchNorm).length,
    convolutions: convolutions.length,
    biased: convolutions.filter(({ inputs }) => (inputs[2] ?? "") !== "").length,
  };
}

/** @throws RootstockError BAD_CONFIG if a graph has no BatchNormalization that the policy could work on. */
export function requireBatchNorm(graph: Graph, policy: string): void {
  const { count, convolutions, biased } = describeBatchNorm(graph);
  if (count > 0) return;
  const other = graph.nodes.find(({ op }) => op !== "BatchNormalization" && op.endsWith("Normalization"))?.op;
  const folded = `it was folded into the ${convolutions} convolutions there, or it never was in them`;
  const why = other ? `its layers have ${other}` : biased > 0 ? folded : "no convolution there ever had one";
  throw new RootstockError(
    "BAD_CONFIG",
    `--batch-norm ${policy} requires BatchNormalization, got a network or part of one without: ${why}. ` +
      "Use --batch-norm freeze, unfreeze more stages, or export the model with its BatchNormalization kept.",
  );
}

/**
 * Applies a policy to the part of a network that trains.
 * - "freeze": statistics stay as they are, scales and shifts train with the rest; no operator remains (`foldBatchNorm`).
 * - "affine": only the scales and shifts of normalizations train (Frankle, Schwab, Morcos 2020, arXiv:2003.00152).
 * - "train": every normalization uses the statistics of the batch, and running statistics follow.
 * @throws RootstockError BAD_CONFIG if "affine" or "train" find no BatchNormalization.
 */
export function withBatchNorm({ suffix, parameters }: ParameterizedSuffix, policy: BatchNormPolicy): NormalizedSuffix {
  if (policy === "train") return following(suffix, parameters);
  const chosen = policy === "affine" ? affineOnly(suffix, parameters) : { suffix, parameters };
  const folded = foldBatchNorm(chosen.suffix);
  return { training: folded, evaluation: folded, parameters: chosen.parameters, statistics: [], running: new Map() };
}

/** Turns all inputs that are parameters back into constants, except scales and shifts of normalizations. */
function affineOnly(suffix: Graph, parameters: Parameters): ParameterizedSuffix {
  requireBatchNorm(suffix, "affine");
  const affine = new Set(suffix.nodes.filter(isFrozenBatchNorm).flatMap(({ inputs }) => inputs.slice(1, 3)));
  const kept = new Map([...parameters].filter(([name]) => affine.has(name)));
  if (kept.size === 0) {
    throw new RootstockError(
      "BAD_CONFIG",
      `--batch-norm affine requires scales or shifts of BatchNormalization among what is unfrozen, got ${parameters.size} other parameters. Unfreeze more, or use --batch-norm freeze.`,
    );
  }
  const constants = new Map([...parameters].filter(([name]) => !kept.has(name)));
  return { parameters: kept, suffix: withConstants(suffix, constants) };
}

/** A graph whose normalizations use the statistics of the batch and give them out. */
export interface TrainingForm {
  readonly graph: Graph;
  readonly statistics: readonly BatchStatistics[];
}

/**
 * Puts every BatchNormalization of inference form into training form: its outputs 1 and 2 are the mean and the biased
 * variance of the batch, since with momentum 0 nothing of the running statistics remains in them.
 */
export function batchNormTraining(graph: Graph): TrainingForm {
  const types = inferTypes(graph);
  const taken = new Set([...types.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  const fresh = (hint: string): Value => {
    let name = hint;
    for (let i = 2; taken.has(name); i++) name = `${hint}_${i}`;
    taken.add(name);
    return name;
  };
  const initializers = new Map(graph.initializers);
  const statistics: BatchStatistics[] = [];
  const nodes = graph.nodes.map((node): Node => {
    if (!isFrozenBatchNorm(node)) return node;
    const [x, scale, shift, mean, variance] = node.inputs as readonly [Value, Value, Value, Value, Value]; // as ONNX says
    const [batchMean, batchVariance] = [fresh(`${mean}.batch`), fresh(`${variance}.batch`)];
    statistics.push({
      node: node.name,
      mean,
      variance,
      batchMean,
      batchVariance,
      positions: positionsOf(node, types),
    });
    // ONNX Runtime may write these outputs over those inputs: no other node may read the same constants.
    const own = [mean, variance].map((name) => {
      const value = initializers.get(name);
      if (!value) return name;
      const copy = fresh(`${name}.before`);
      initializers.set(copy, value);
      return copy;
    });
    const attributes: Attributes = { ...node.attributes, training_mode: int(1), momentum: float(0) };
    return {
      ...node,
      attributes,
      inputs: [x, scale, shift, ...own],
      outputs: [node.outputs[0]!, batchMean, batchVariance],
    };
  });
  const outputs = statistics.flatMap(({ mean, variance, batchMean, batchVariance }): ValueInfo[] => [
    { name: batchMean, dtype: "float32", shape: types.get(mean)?.shape },
    { name: batchVariance, dtype: "float32", shape: types.get(variance)?.shape },
  ]);
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  for (const { mean, variance } of statistics)
    for (const name of [mean, variance]) if (!used.has(name)) initializers.delete(name);
  return { graph: { ...graph, nodes, initializers, outputs: [...graph.outputs, ...outputs] }, statistics };
}

function positionsOf(node: Node, types: ReadonlyMap<Value, ValueType>): number {
  const shape: Shape | undefined = types.get(node.inputs[0]!)?.shape;
  const positions = shape?.slice(2).reduce<number>((product, dim) => product * Number(dim), 1);
  if (positions !== undefined && Number.isInteger(positions)) return positions;
  throw new RootstockError(
    "BAD_MODEL",
    `training with the statistics of the batch requires known sizes, but the input of BatchNormalization "${node.name}" has an unknown height or width. Use --batch-norm freeze.`,
  );
}

function following(suffix: Graph, parameters: Parameters): NormalizedSuffix {
  requireBatchNorm(suffix, "train");
  const { graph: training, statistics } = batchNormTraining(suffix);
  const running = new Map(
    statistics.flatMap(({ mean, variance }) =>
      [mean, variance].map((name) => {
        const value = suffix.initializers.get(name);
        if (!(value?.data instanceof Float32Array))
          throw new RootstockError("BAD_MODEL", `--batch-norm train requires float32 statistics, got "${name}".`);
        return [name, tensor("float32", value.shape, value.data.slice())] as const;
      }),
    ),
  );
  const inputs = [...running].map(([name, { shape }]): ValueInfo => ({ name, dtype: "float32", shape }));
  const evaluation: Graph = {
    ...suffix,
    inputs: [...suffix.inputs, ...inputs],
    initializers: new Map([...suffix.initializers].filter(([name]) => !running.has(name))),
  };
  return { training, evaluation, parameters, statistics, running };
}

/** What a step of training says about its batch. */
export interface BatchResults {
  /** Outputs of the training graph. */
  readonly outputs: Readonly<Record<Value, Tensor>>;
  /** Images in the batch. */
  readonly images: number;
  /** Share of the batch in the new running statistics; PyTorch's convention, Keras writes 1 - momentum. @default 0.1 */
  readonly momentum?: number | undefined;
}

/**
 * Moves running statistics towards those of a batch, in place: running = (1 - momentum) running + momentum batch, with
 * the unbiased variance n / (n - 1), as PyTorch does. Keras's layers move by 0.01 and take the biased variance. A batch
 * with one element per channel has no variance and changes nothing.
 */
export function updateStatistics(
  running: Parameters,
  statistics: readonly BatchStatistics[],
  { outputs, images, momentum = 0.1 }: BatchResults,
): void {
  for (const { mean, variance, batchMean, batchVariance, positions } of statistics) {
    const count = images * positions;
    if (count < 2) continue;
    blend(running.get(mean)!.data, outputs[batchMean]!, momentum, 1);
    blend(running.get(variance)!.data, outputs[batchVariance]!, momentum, count / (count - 1));
  }
}

function blend(running: Float32Array, { data }: Tensor, momentum: number, factor: number): void {
  for (let i = 0; i < running.length; i++)
    running[i] = (1 - momentum) * running[i]! + momentum * factor * Number(data[i]);
}
