/** From a forward graph to the graph that a training session runs, and what it will take in memory. */

import { differentiate } from "../autodiff/gradient.ts";
import { GRADIENT_SHAPES } from "../autodiff/gradient-operators.ts";
import type { Choose } from "../autodiff/lowering/fast/choice.ts";
import { transposedGradients, withTapsOutside } from "../autodiff/lowering/fast/kernel-order.ts";
import { lowerFast } from "../autodiff/lowering/fast/lower-fast.ts";
import { lower } from "../autodiff/lowering/lower.ts";
import { PORTABLE } from "../autodiff/lowering/portable.ts";
import { steadyProducts } from "../autodiff/lowering/steady-products.ts";
import { recompute } from "../autodiff/recompute.ts";
import { bottlenecks } from "../graph/bottlenecks.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { deduplicate } from "../graph/deduplicate.ts";
import type { Graph, Shape, Value } from "../graph/graph.ts";
import { inferTypes } from "../graph/infer-types.ts";
import { memoryUse } from "../graph/liveness.ts";
import type { Loss } from "../losses/loss.ts";
import { HEAD, type Parameters } from "../models/head.ts";
import { BATCH } from "../models/training-form.ts";

/** Names of the values that every training graph has. */
export const STEP = { loss: "loss", target: "target", weights: "sample-weights" } as const;

/** Stretches of the forward pass between kept values, where the others are computed twice. */
const STRETCHES = 8;

export interface TrainingPlanOptions {
  /** From `input` and the parameters, as inputs, to HEAD.logits [batch, numClasses] and further outputs. */
  readonly forward: Graph;
  readonly input: Value;
  readonly parameters: Parameters;
  readonly loss: Loss;
  readonly numClasses: number;
  /** Samples per step, where every step has as many: sizes that are numbers allow faster graphs. */
  readonly batchSize?: number | undefined;
  /** Channels per block of the runtime's blocked layout, where it has one. */
  readonly block?: number | undefined;
  /** Chooses how gradients are computed, with `block`. @default the thresholds of `variantsOf` */
  readonly choose?: Choose | undefined;
  /** Bytes beyond which the forward pass is computed in stretches, twice. @default Number.POSITIVE_INFINITY */
  readonly memoryLimit?: number | undefined;
}

/** What a step takes in memory, in bytes; estimates for the given batch size, or for one sample. */
export interface StepMemory {
  /** Values of the forward and backward pass at the worst moment. */
  readonly activations: number;
  /** Whether most of the forward pass is computed twice to keep less of it. */
  readonly recomputed: boolean;
}

export interface TrainingPlan {
  /** Gives STEP.loss, the gradient of each parameter, and the forward graph's outputs other than the logits. */
  readonly graph: Graph;
  /** Samples that every run takes; undefined for any number. */
  readonly batchSize: number | undefined;
  readonly memory: StepMemory;
  /** Parameters that the graphs take, and whose gradients they give, as [m, ...kernel, c] instead of [m, c, ...kernel]. */
  readonly tapsOutside: ReadonlySet<Value>;
}

/** Plans the training graph. @throws RootstockError NOT_DIFFERENTIABLE naming every obstacle. */
export function planTraining(options: TrainingPlanOptions): TrainingPlan {
  const { parameters, input, batchSize, block, choose, memoryLimit = Number.POSITIVE_INFINITY } = options;
  const fixed = block === undefined ? undefined : batchSize;
  const objective = withLoss(options, fixed);
  const plain = differentiate(objective, { of: STEP.loss, with: [...parameters.keys()] });
  const sizes = new Map([[BATCH, batchSize ?? 1]]);
  const estimate = (graph: Graph): number => memoryUse(graph, sizes, GRADIENT_SHAPES).peak;
  const whole = estimate(plain);
  const small = whole > memoryLimit ? inStretches(plain, objective, input) : undefined;
  const chosen = small ?? plain;
  const lowered =
    block !== undefined && fixed !== undefined
      ? lowerFast(chosen, { block, choose, flatOutputs: true })
      : deduplicate(lower(chosen, PORTABLE), objective.nodes.length);
  const tapsOutside = fixed === undefined ? new Set<Value>() : transposedGradients(lowered);
  return {
    graph: steadyProducts(withTapsOutside(lowered, tapsOutside)),
    tapsOutside,
    batchSize: fixed,
    memory: { activations: small ? estimate(small) : whole, recomputed: small !== undefined },
  };
}

/** The graph that gives logits alone, in the fixed form that the training graph has, if it has one. */
export function planForward(
  forward: Graph,
  { batchSize, tapsOutside }: Pick<TrainingPlan, "batchSize" | "tapsOutside">,
  block: number | undefined,
): Graph {
  if (batchSize === undefined || block === undefined) return forward;
  return steadyProducts(withTapsOutside(lowerFast(withBatch(forward, batchSize), { block }), tapsOutside));
}

/** The forward graph with the weighted mean of the samples' losses as its first output. */
function withLoss({ forward, loss, numClasses }: TrainingPlanOptions, batchSize: number | undefined): Graph {
  const b = new GraphBuilder("training", forward);
  const target = b.input(loss.target(STEP.target, BATCH, numClasses));
  const weights = b.input({ name: STEP.weights, dtype: "float32", shape: [BATCH] });
  const each = loss.build(b, HEAD.logits, target);
  b.named("ReduceSum", [b.mul(each, weights)], STEP.loss, { keepdims: { kind: "int", value: 0 } });
  const further = forward.outputs.filter(({ name }) => name !== HEAD.logits);
  const graph = b.build([{ name: STEP.loss, dtype: "float32", shape: [] }, ...further]);
  return batchSize === undefined ? graph : withBatch(graph, batchSize);
}

/** The graph for batches of exactly this many samples. */
function withBatch(graph: Graph, batchSize: number): Graph {
  const bound = (shape: Shape | undefined): Shape | undefined => shape?.map((dim) => (dim === BATCH ? batchSize : dim));
  return {
    ...graph,
    inputs: graph.inputs.map((info) => ({ ...info, shape: bound(info.shape) })),
    outputs: graph.outputs.map((info) => ({ ...info, shape: bound(info.shape) })),
  };
}

/** The differentiated graph with the forward pass in stretches of about equal work, between values of small size. */
function inStretches(plain: Graph, objective: Graph, input: Value): Graph {
  const types = inferTypes(objective);
  const sizeOf = (value: Value): number =>
    (types.get(value)?.shape ?? []).reduce<number>((product, dim) => product * (typeof dim === "number" ? dim : 1), 1);
  const { values, segments } = bottlenecks(objective, input, STEP.loss);
  const work = values.map(() => 0);
  for (const [node, index] of segments) work[index]! += node.outputs.reduce((sum, value) => sum + sizeOf(value), 0);
  const total = work.reduce((sum, part) => sum + part, 0);
  const checkpoints: Value[] = [];
  let done = 0;
  for (const [i, value] of values.entries()) {
    const before = Math.floor((STRETCHES * done) / total);
    if (i > 0 && i < values.length - 1 && before > checkpoints.length) checkpoints.push(value);
    done += work[i]!;
  }
  return recompute(plain, { forward: objective.nodes.length, checkpoints, inputs: [input] });
}
