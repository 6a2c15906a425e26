/** What a finished run says and can do. */
import type { Task } from "../data/sample.ts";
import type { CalibrationChange } from "../metrics/calibration.ts";
import type { EvaluationComparison } from "../metrics/compare.ts";
import type { EvaluationOf } from "../metrics/evaluation.ts";
import type { Cut } from "../models/backbone.ts";
import type { Model } from "../models/model.ts";
import type { EpochReport } from "./callback.ts";
import type { Recipe } from "./recipe.ts";

/** A phase of training, for the record. */
export interface RunPhase {
  /** What trained: "head", or what was unfrozen. */
  readonly phase: string;
  readonly epochs: number;
  /** From 1; 0 where no epoch was better than the start. */
  readonly bestEpoch: number;
  /** Epochs whose weights were averaged in the end; 1 for none. */
  readonly averaged: number;
  readonly stopped: string | undefined;
}

/** A finished run on data of a task, which decides how it is measured. */
export interface Run<T extends Task = Task> {
  readonly id: string;
  /** The run's folder, if it was given one. */
  readonly folder: string | undefined;
  /** Names of the classes, or of a regression's targets. */
  readonly classes: readonly string[];
  /** Where the pretrained graph was cut. */
  readonly cut: Cut;
  readonly recipe: Recipe;
  /** Measures on the split named by `evaluatedOn`. */
  readonly metrics: EvaluationOf<T>["metrics"];
  readonly evaluation: EvaluationOf<T>;
  /** The same of the linear probe on frozen features, which every other strategy should beat. */
  readonly baseline: EvaluationOf<T>;
  /** Where the run differs from its baseline by more than chance explains, image by image; undefined where it is the probe. */
  readonly comparison: EvaluationComparison | undefined;
  /** The test split where the data have one, else validation, which also chose the best epoch. */
  readonly evaluatedOn: "test" | "validation";
  /** Of all phases, in order. */
  readonly history: readonly EpochReport[];
  /** Those that trained, in order; none for a probe. */
  readonly phases: readonly RunPhase[];
  /** Of the last phase. */
  readonly bestEpoch: number;
  readonly stopped: string | undefined;
  /** What the logits were divided by in the end, fitted on validation; undefined for a regression. */
  readonly temperature: number | undefined;
  /** What that changed on the validation split. */
  readonly calibration: CalibrationChange | undefined;
  /** Of several labels: the probability above which each class is predicted, chosen on validation. */
  readonly thresholds: readonly number[] | undefined;
  readonly seconds: { readonly features: number; readonly training: number; readonly total: number };
  /** How many images' features came from the cache. */
  readonly featuresFromCache: number;
  /** Images that could not be decoded, by file. */
  readonly failed: readonly { readonly file: string; readonly error: string }[];
  /** The trained model, ready to predict. */
  readonly model: Model;
  /** Writes the model as one ONNX file, after it passed the parity gate. @throws RootstockError PARITY */
  export(path: string): Promise<void>;
}

/** What a run's result.json holds. */
export function resultRecord(run: Run): unknown {
  const { id, classes, evaluation, baseline, evaluatedOn, phases, bestEpoch, stopped, temperature } = run;
  const { comparison, calibration, thresholds, seconds, featuresFromCache, failed } = run;
  return {
    version: 1,
    id,
    classes,
    evaluatedOn,
    ...evaluation,
    baseline: baseline.metrics,
    comparison,
    epochs: run.history.length,
    phases,
    bestEpoch,
    stopped,
    temperature,
    calibration,
    thresholds,
    seconds,
    featuresFromCache,
    failed,
  };
}
