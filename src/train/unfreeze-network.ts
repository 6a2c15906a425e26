/** From the plan to the parts of the network: what stays frozen, what trains, and the graph of the result. */
import { bySplit, type Dataset } from "../data/sample.ts";
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
import type { FineTuneOptions } from "./options.ts";
import type { Recipe } from "./recipe.ts";

/** Images per batch whose statistics are measured. */
const ADAPT_BATCH = 32;

/** A network in the parts that training needs. */
export interface UnfrozenNetwork {
  /** From the image to the features of the head. */
  readonly backbone: Graph;
  /** From the image to where training starts; undefined if that is the image itself. */
  readonly prefix: Graph | undefined;
  /** What trains besides the head. */
  readonly trainable: NormalizedSuffix;
  /** What to tell the user. */
  readonly notes: readonly string[];
}

/** A pretrained model, and where its old classifier is cut off. */
export interface CutModel {
  readonly base: Model;
  readonly cut: Cut;
}

/** The backbone as training needs it. Of a file for images of any size, pads and shapes are known with the size. */
export function trainingBackbone({ base, cut }: CutModel): Graph {
  return trainingForm(backboneGraph(base.graph, cut), base.requirePreprocessing().inputSize);
}

/**
 * A backbone with the statistics of the training images in its BatchNormalization.
 * @throws RootstockError BAD_DATA if there are fewer than two images to measure; ABORTED through the options' signal.
 */
export async function adaptBackbone(
  backbone: Graph,
  { data, preprocessing }: { readonly data: Dataset; readonly preprocessing: Preprocessing },
  { threads, provider, signal }: FineTuneOptions,
): Promise<Graph> {
  const images = trainingImages(backbone, data, preprocessing, signal);
  return await adaptBatchNorm(backbone, images, { threads, provider });
}

/**
 * Splits a backbone where `unfreeze` says.
 * @throws RootstockError BAD_CONFIG if there is nothing of that name to unfreeze, or no BatchNormalization for the
 * policy; BAD_MODEL if the file cannot train.
 */
export function unfreezeNetwork(
  formed: Graph,
  { unfreeze: spec, batchNorm }: Pick<Recipe, "batchNorm"> & { readonly unfreeze: string },
): UnfrozenNetwork {
  const chosen = unfreeze(formed, spec);
  const { prefix, suffix, parameters, backbone } = trainableGraph(formed, chosen);
  const trainable = withBatchNorm({ suffix, parameters }, batchNorm === "adapt" ? "freeze" : batchNorm);
  const notes = [unfreezeNote(spec, trainable, prefix && chosen), batchNormNote(suffix, batchNorm)];
  return { backbone, prefix, trainable, notes };
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

/** What to tell of statistics that were measured anew under a head alone. */
export function adaptNote(backbone: Graph): string {
  return `batchnorm statistics of ${describeBatchNorm(backbone).count} layers measured on the training images`;
}

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
  const sizes = [...trainable.parameters].map(([name, { data }]) => ({ name, size: data.length }));
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

/** The part of the network that reads rows, with every weight a constant. */
export function scoringGraph({ trainable }: UnfrozenNetwork, parameters: Parameters): Graph {
  return withConstants(trainable.evaluation, parameters);
}

/** The same where rows are features: the identity. */
export function featuresGraph(backbone: Graph): Graph {
  const [, width] = backbone.outputs[0]!.shape!;
  const rows: ValueInfo = { name: FEATURES, dtype: "float32", shape: ["batch", width!] };
  return { ...backbone, inputs: [rows], outputs: [rows], nodes: [], initializers: new Map() };
}
