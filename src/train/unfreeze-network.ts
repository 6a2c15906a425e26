/** From the plan to the parts of the network: what stays frozen, what trains, and the graph of the result. */
import { bySplit, type Dataset } from "../data/sample.ts";
import { streamedRows } from "../features/rows.ts";
import type { Graph, ValueInfo } from "../graph/graph.ts";
import { adaptBatchNorm } from "../models/adapt-batch-norm.ts";
import { backboneGraph, type Cut, FEATURES } from "../models/backbone.ts";
import { describeBatchNorm, type NormalizedSuffix, requireBatchNorm, withBatchNorm } from "../models/batch-norm.ts";
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

/** A pretrained model, and where its old classifier is cut off. */
export interface CutModel {
  readonly base: Model;
  readonly cut: Cut;
}

/**
 * Splits a pretrained network as the plan says, with the statistics that its file has. Needs the model alone.
 * @throws RootstockError BAD_CONFIG if there is nothing of that name to unfreeze, or no BatchNormalization for the
 * policy; BAD_MODEL if the file cannot train.
 */
export function unfreezeNetwork({ base, cut }: CutModel, plan: Recipe): UnfrozenNetwork {
  if (plan.unfreeze === "head" && plan.batchNorm === "freeze") return headOnly(backboneGraph(base.graph, cut), []);
  const formed = formOf({ base, cut });
  if (plan.batchNorm === "adapt") requireBatchNorm(formed, "adapt");
  return inParts(formed, plan);
}

/**
 * Splits a pretrained network as `unfreezeNetwork` does, with the statistics of the training images.
 * @throws RootstockError also BAD_DATA if there are fewer than two images to measure.
 */
export async function adaptNetwork(
  { base, cut, data }: CutModel & { readonly data: Dataset },
  plan: Recipe,
  { threads, provider, signal }: FineTuneOptions,
): Promise<UnfrozenNetwork> {
  const formed = formOf({ base, cut });
  const images = trainingImages(formed, data, base.requirePreprocessing(), signal);
  return inParts(await adaptBatchNorm(formed, images, { threads, provider }), plan);
}

/** The backbone as training needs it. Of a file for images of any size, pads and shapes are known with the size. */
function formOf({ base, cut }: CutModel): Graph {
  return trainingForm(backboneGraph(base.graph, cut), base.requirePreprocessing().inputSize);
}

function inParts(formed: Graph, { unfreeze: spec, batchNorm }: Recipe): UnfrozenNetwork {
  if (spec === "head")
    return headOnly(formed, [
      `batchnorm statistics of ${batchNormCount(formed)} layers measured on the training images`,
    ]);
  const chosen = unfreeze(formed, spec);
  const { prefix, suffix, parameters, backbone } = trainableGraph(formed, chosen);
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

/** More parameters than this train slowly, and take gigabytes with their gradients and the optimizer's state. */
const MANY_PARAMETERS = 50e6;

/** With fewer images than parameters by this factor, what is learned is the images. */
const PARAMETERS_PER_IMAGE = 1000;

/**
 * What to tell of a part that is too large for its images: more than 50 million parameters, and more than 1000 for each
 * image. That is what the fully connected layers of VGG and AlexNet are, and no stage of a network without such layers.
 */
export function sizeNote({ trainable }: UnfrozenNetwork, images: number): string | undefined {
  const sizes = [...(trainable?.parameters ?? [])].map(([name, { data }]) => ({ name, size: data.length }));
  const count = sizes.reduce((sum, { size }) => sum + size, 0);
  if (count <= MANY_PARAMETERS || count <= PARAMETERS_PER_IMAGE * images) return undefined;
  const millions = (size: number): string => `${(size / 1e6).toFixed(1)} million`;
  const largest = sizes.reduce((x, y) => (y.size > x.size ? y : x));
  return (
    `${millions(count)} parameters train on ${images} images, ${millions(largest.size)} of them in "${largest.name}": ` +
    "that is slow, and learns the images by heart. Consider --unfreeze head, or a pattern of parameter names without the largest."
  );
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
