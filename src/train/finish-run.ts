/** From trained weights to a model that is calibrated, measured and ready for export. */

import { sourceOf, type Task } from "../data/sample.ts";
import { exportMetadata, exportModel, type TrainedModel } from "../export/export-model.ts";
import type { ParityCheck } from "../export/verify.ts";
import type { Graph } from "../graph/graph.ts";
import type { Activation } from "../losses/loss.ts";
import { type CalibrationChange, calibrationChange } from "../metrics/calibration.ts";
import { type Evaluation, type EvaluationResults, evaluateResults } from "../metrics/evaluation.ts";
import { ACTIVATIONS } from "../metrics/probabilities.ts";
import { fitTemperature } from "../metrics/temperature.ts";
import { chooseThresholds } from "../metrics/thresholds.ts";
import { classifierGraph, logitsGraph, type Parameters } from "../models/head.ts";
import { Model } from "../models/model.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { float32 } from "../tensor/tensor.ts";
import type { Augmentation } from "../transforms/transform.ts";
import type { DataRows, SplitRows } from "./data-rows.ts";
import { resultsOf } from "./measure.ts";
import { GraphScorer, type Scorer, scoreRows } from "./score.ts";
import { divided, labelsOf } from "./temperature.ts";
import { type HeadScale, offScale } from "./train-head.ts";

/** Images on which an exported file is checked against training. */
const PARITY_IMAGES = 16;

/** A head on a network, before it is measured. */
export interface Unmeasured {
  /** From a row to features, every weight a constant. */
  readonly scoring: Graph;
  readonly rows: DataRows;
  /** For features and targets on `scale`. */
  readonly head: Parameters;
  readonly scale: HeadScale;
  readonly classes: readonly string[];
  readonly activation: Activation;
  readonly session: SessionOptions;
}

/** A head on raw features with what it reaches. */
export interface Measured {
  readonly head: Parameters;
  readonly temperature: number | undefined;
  /** What the temperature changed on the validation split, which it was fitted to. */
  readonly calibration: CalibrationChange | undefined;
  /** Of several labels: the probability above which each class is predicted, chosen on validation. */
  readonly thresholds: readonly number[] | undefined;
  readonly evaluation: Evaluation;
  /** What was measured, image by image. */
  readonly results: EvaluationResults;
  readonly evaluatedOn: "test" | "validation";
  readonly parity: ParityCheck;
}

/**
 * Brings a head to raw features and targets, divides it by the temperature that fits the validation split, and measures it
 * on the test split where there is one, else on validation: with the weights as they will be exported.
 */
export async function measureNetwork(network: Unmeasured): Promise<Measured> {
  const { scoring, rows, scale, classes, activation, session } = network;
  const validation = rows.split("validation");
  const head = offScale(network.head, scale);
  const calibration = await calibrate(validation, head, network);
  const temperature = calibration?.temperature;
  const calibrated: Parameters = new Map(
    [...head].map(([name, { shape, data }]) => [name, float32(shape, divided(data, temperature))] as const),
  );
  await using scorer = await GraphScorer.create(logitsGraph(scoring, calibrated), session);
  const thresholds = await thresholdsOn(validation, scorer, classes.length);
  const test = rows.split("test");
  const [evaluatedOn, measured] =
    test.rows.count > 0 ? (["test", test] as const) : (["validation", validation] as const);
  const results = resultsOf(await scoreRows(scorer, measured.rows), measured.targets, {
    classes,
    activation,
    thresholds,
    trainingMean: scale.targets?.mean,
  });
  return {
    head: calibrated,
    temperature,
    calibration: calibration?.change,
    thresholds,
    evaluation: evaluateResults(results),
    results,
    evaluatedOn,
    parity: { ...(await parityCheck(scorer, validation, activation)), units: scale.targets?.deviation },
  };
}

/** Fits the temperature of logits on the validation split. */
async function calibrate(
  { rows, targets }: SplitRows,
  head: Parameters,
  { scoring, classes, activation, session }: Unmeasured,
): Promise<{ readonly temperature: number; readonly change: CalibrationChange } | undefined> {
  if (activation === "identity") return undefined;
  await using scorer = await GraphScorer.create(logitsGraph(scoring, head), session);
  const logits = await scoreRows(scorer, rows);
  const fitted = { logits, labels: labelsOf(targets), numClasses: classes.length, activation };
  const temperature = fitTemperature(fitted);
  return { temperature, change: calibrationChange({ ...fitted, temperature }) };
}

async function thresholdsOn(
  { rows, targets }: SplitRows,
  scorer: Scorer,
  numClasses: number,
): Promise<readonly number[] | undefined> {
  if (targets.task !== "multi-label") return undefined;
  return chooseThresholds({ logits: await scoreRows(scorer, rows), targets: targets.values, numClasses });
}

/** Probabilities or values of a few validation images by the training path, spread evenly over the split. */
async function parityCheck(scorer: Scorer, { rows, samples }: SplitRows, activation: Activation): Promise<ParityCheck> {
  const count = Math.min(PARITY_IMAGES, samples.length);
  const chosen = Int32Array.from({ length: count }, (_, i) => Math.floor((i * samples.length) / count));
  const logits = await scoreRows(scorer, rows, chosen);
  return {
    files: Array.from(chosen, (row) => sourceOf(samples[row]!)),
    outputs: ACTIVATIONS[activation](logits, logits.length / count),
  };
}

export interface ModelParts {
  readonly base: Model;
  readonly backbone: Graph;
  readonly measured: Measured;
  readonly activation: Activation;
  readonly task: Task;
  readonly classes: readonly string[];
  readonly trainingMean: readonly number[] | undefined;
  readonly augmentation: Augmentation | undefined;
  readonly run: string;
}

/** The model in memory, and how it is written to a file. */
export function modelOf({ measured, ...parts }: ModelParts): {
  readonly model: Model;
  readonly write: (path: string) => Promise<void>;
} {
  const { base, backbone, activation, classes } = parts;
  const trained: TrainedModel = {
    ...parts,
    parameters: measured.head,
    temperature: measured.temperature,
    thresholds: measured.thresholds,
  };
  const model = new Model({
    name: `${base.name} fine-tuned`,
    graph: classifierGraph(backbone, trained.parameters, activation),
    metadata: exportMetadata(trained),
    preprocessing: base.preprocessing,
    preprocessingSource: base.preprocessingSource,
    labels: classes,
  });
  return { model, write: (path) => exportModel(path, trained, measured.parity) };
}
