/** Measures a model's raw outputs against targets, whatever the task. */
import { RootstockError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Activation, Loss } from "../losses/loss.ts";
import { countTargets, type Targets } from "../losses/targets.ts";
import { summarizeClassification } from "../metrics/classification.ts";
import { type Evaluation, type EvaluationResults, evaluateResults } from "../metrics/evaluation.ts";
import { summarizeMultiLabel } from "../metrics/multi-label.ts";
import { summarizeRegression } from "../metrics/regression.ts";
import { HEAD } from "../models/head.ts";
import { Session } from "../runtime/session.ts";
import { float32 } from "../tensor/tensor.ts";
import { scaleTargets, type TargetScale, unscaleOutputs } from "./target-scale.ts";

export interface MeasureOptions {
  /** Class or target names. */
  readonly classes: readonly string[];
  /** How the outputs become probabilities or values. */
  readonly activation: Activation;
  /** Mean of each regression target over the training images, where it is known. */
  readonly trainingMean?: readonly number[] | undefined;
  /** Probability above which each independent class is predicted, [classes]. @default 0.5 for all */
  readonly thresholds?: readonly number[] | undefined;
}

/**
 * The evaluation that the targets' task has.
 * @param outputs logits or values, [n, classes]. @throws RootstockError as the evaluations do.
 */
export function measureOutputs(outputs: Float32Array, targets: Targets, options: MeasureOptions): Evaluation {
  return evaluateResults(resultsOf(outputs, targets, options));
}

/** Outputs beside their targets, as the evaluation of their task reads them; two of them can be compared. */
export function resultsOf(
  outputs: Float32Array,
  { task, values }: Targets,
  { classes, activation, trainingMean, thresholds }: MeasureOptions,
): EvaluationResults {
  switch (task) {
    case "single-label":
      if (activation === "identity")
        throw new RootstockError("BAD_CONFIG", "classes require probabilities, got the activation identity.");
      return { task, logits: outputs, labels: values, classes, activation };
    case "multi-label":
      return { task, logits: outputs, targets: values, classes, thresholds };
    case "regression":
      return { task, predictions: outputs, values, targets: classes, trainingMean };
  }
}

export interface EpochMeasuresOptions {
  /** In their own unit. */
  readonly targets: Targets;
  readonly classes: readonly string[];
  readonly loss: Loss;
  /** What the outputs of a regression are scaled by. */
  readonly scale: TargetScale | undefined;
}

/**
 * The measures that a training run shows after each epoch and may be told to watch. The loss of classes is the plain one of
 * their activation; that of a regression is the one that is trained, of scaled targets, so that no target outweighs another.
 * @param outputs logits or scaled values, [n, classes].
 */
export async function epochMeasures(
  outputs: Float32Array,
  { targets, classes, loss, scale }: EpochMeasuresOptions,
): Promise<Record<string, number>> {
  const results = resultsOf(unscaleOutputs(outputs, scale), targets, { classes, activation: loss.activation });
  if (results.task === "single-label") return { ...summarizeClassification(results) };
  if (results.task === "multi-label") {
    const { loss, exactMatch, microF1, macroF1, meanAveragePrecision } = summarizeMultiLabel(results);
    return { loss, exactMatch, microF1, macroF1, meanAveragePrecision };
  }
  const { mae, rmse, r2 } = summarizeRegression(results);
  return { loss: await meanLoss(loss, outputs, scaleTargets(targets, scale)), mae, rmse, r2 };
}

/** The mean of an objective over rows of outputs [n, targets.width], by the graph that trains. */
export async function meanLoss(loss: Loss, outputs: Float32Array, targets: Targets): Promise<number> {
  const b = new GraphBuilder("loss");
  b.input({ name: HEAD.logits, dtype: "float32", shape: ["batch", targets.width] });
  const target = b.input(loss.target("target", "batch", targets.width));
  const each = loss.build(b, HEAD.logits, target);
  await using session = await Session.create(b.build([{ name: each, dtype: "float32", shape: ["batch"] }]), {
    threads: 1, // too small to share
  });
  const result = await session.run({
    [HEAD.logits]: float32([countTargets(targets), targets.width], outputs),
    [target]: loss.encode(targets, targets.width),
  });
  const losses = result[each]!.data as Float32Array; // as declared
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}
