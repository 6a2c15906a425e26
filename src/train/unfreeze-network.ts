/** From the plan to the parts of the network: what stays frozen, what trains, and the graph of the result. */
import { bySplit, type Dataset } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import { streamedRows } from "../features/rows.ts";
import type { Graph, ValueInfo } from "../graph/graph.ts";
import { adaptBatchNorm } from "../models/adapt-batch-norm.ts";
import { backboneGraph, type Cut, FEATURES } from "../models/backbone.ts";
import { describeBatchNorm, type NormalizedSuffix, withBatchNorm } from "../models/batch-norm.ts";
import type { Parameters } from "../models/head.ts";
import { imageInput } from "../models/image-input.ts";
import type { Model } from "../models/model.ts";
import { trainableGraph, withConstants } from "../models/trainable-graph.ts";
import { trainingForm } from "../models/training-form.ts";
import { type Trainable, unfreeze } from "../models/unfreeze.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import type { NetworkParts } from "./data-rows.ts";
import type { FineTuneOptions, Recipe } from "./options.ts";

/** Images per batch whose statistics are measured. */
const ADAPT_BATCH = 32;

/** A network ready for training. */
export interface UnfrozenNetwork extends NetworkParts {
  /** What trains besides the head, where anything does. */
  readonly trainable: NormalizedSuffix | undefined;
  /** What to tell the user. */
  readonly notes: readonly string[];
}

/**
 * Splits a pretrained network as the plan says.
 * @throws RootstockError BAD_CONFIG if there is nothing of that name to unfreeze, or no BatchNormalization for the
 * policy; BAD_MODEL if the file cannot train.
 */
export async function unfreezeNetwork(
  { base, cut, data }: { readonly base: Model; readonly cut: Cut; readonly data: Dataset },
  { unfreeze: spec, batchNorm }: Recipe,
  { threads, provider, signal }: FineTuneOptions,
): Promise<UnfrozenNetwork> {
  const preprocessing = base.requirePreprocessing();
  const original = backboneGraph(base.graph, cut);
  if (spec === "head" && batchNorm === "freeze") return headOnly(original, []);
  const formed = trainingForm(original, preprocessing.inputSize);
  const adapted =
    batchNorm === "adapt"
      ? await adaptBatchNorm(formed, trainingImages(formed, data, preprocessing, signal), { threads, provider })
      : formed;
  if (spec === "head") {
    if (batchNorm === "adapt")
      return headOnly(adapted, [
        `batchnorm statistics of ${batchNormCount(adapted)} layers measured on the training images`,
      ]);
    throw new RootstockError(
      "BAD_CONFIG",
      `batchNorm "${batchNorm}" requires layers that train, got unfreeze "head". Unfreeze more, such as "last", or use "freeze".`,
    );
  }
  const chosen = unfreeze(adapted, spec);
  const { prefix, suffix, parameters, backbone } = trainableGraph(adapted, chosen);
  const trainable = withBatchNorm({ suffix, parameters }, batchNorm === "adapt" ? "freeze" : batchNorm);
  return {
    backbone,
    prefix,
    suffix: withConstants(trainable.evaluation, new Map([...trainable.parameters, ...trainable.running])),
    trainable,
    notes: [unfreezeNote(spec, trainable, prefix && chosen), batchNormNote(suffix, batchNorm)],
  };
}

function headOnly(backbone: Graph, notes: readonly string[]): UnfrozenNetwork {
  return { backbone, prefix: undefined, suffix: undefined, trainable: undefined, notes };
}

/** The training images in batches, as a graph's input takes them. */
async function* trainingImages(
  graph: Graph,
  data: Dataset,
  preprocessing: Preprocessing,
  signal: AbortSignal | undefined,
): AsyncGenerator<Tensor> {
  const [height, width] = preprocessing.inputSize;
  const sizes = imageInput(graph).layout === "NCHW" ? [3, height, width] : [height, width, 3];
  const samples = bySplit(data, "train");
  const rows = streamedRows(samples, { preprocessing, width: 3 * height * width, signal, skipUnreadable: true });
  const order = Int32Array.from({ length: samples.length }, (_, i) => i);
  for await (const batch of rows.batches(order, ADAPT_BATCH))
    yield tensor("float32", [batch.length / rows.width, ...sizes], batch);
}

const batchNormCount = (graph: Graph): number => describeBatchNorm(graph).count;

function unfreezeNote(spec: string, { parameters }: NormalizedSuffix, from: Trainable | undefined): string {
  const count = [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
  const where = from ? `"${from.start}" [${from.startShape.join(", ")}]` : "the image";
  return `unfreeze  ${spec}: ${parameters.size} tensors with ${count} parameters, from ${where} on`;
}

function batchNormNote(suffix: Graph, policy: Recipe["batchNorm"]): string {
  const { count, biased } = describeBatchNorm(suffix);
  if (count > 0) return `batchnorm ${policy}: ${count} layers in the part that trains`;
  const folded = biased > 0 ? "none in the part that trains: folded into its convolutions, or never there" : "none";
  return `batchnorm ${folded}`;
}

/** The part of the network that reads rows, with every weight a constant: the identity where only the head trains. */
export function scoringGraph({ trainable, backbone }: UnfrozenNetwork, parameters: Parameters): Graph {
  if (trainable) return withConstants(trainable.evaluation, parameters);
  const [, width] = backbone.outputs[0]!.shape!;
  const rows: ValueInfo = { name: FEATURES, dtype: "float32", shape: ["batch", width!] };
  return { ...backbone, inputs: [rows], outputs: [rows], nodes: [], initializers: new Map() };
}
