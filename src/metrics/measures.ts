/** Every measure by its name in records: what people call it, and which way is better. */
import type { Interval } from "./interval.ts";

/** A 95 % interval for each measure that is there. */
export type Intervals<Metrics> = { readonly [Name in keyof Metrics]: Interval };

/** What is known of a measure beforehand. */
export interface MeasureInfo {
  /** Its name for people. */
  readonly title: string;
  readonly better: "higher" | "lower";
  /** Whether people read it as a percentage. */
  readonly percent?: boolean;
  /** How its interval comes from draws of the images. @see percentileInterval */
  readonly interval?: { readonly share?: boolean; readonly centered?: boolean };
}

const share = { better: "higher", percent: true, interval: { share: true } } as const;
const score = { better: "higher", interval: { share: true } } as const;

/** The measures of all tasks. */
export const MEASURES = {
  accuracy: { title: "accuracy", ...share },
  topKAccuracy: { title: "top-k accuracy", ...share },
  balancedAccuracy: { title: "balanced accuracy", ...share },
  exactMatch: { title: "exact match", ...share },
  macroF1: { title: "macro-F1", ...score },
  microF1: { title: "micro-F1", ...score },
  weightedF1: { title: "weighted F1", ...score },
  kappa: { title: "Cohen's kappa", ...score },
  matthews: { title: "Matthews correlation", ...score },
  rocAuc: { title: "ROC-AUC", ...score },
  meanAveragePrecision: { title: "mean average precision", ...score },
  loss: { title: "log-loss", better: "lower", interval: {} },
  brier: { title: "Brier score", better: "lower", interval: {} },
  calibrationError: { title: "calibration error", better: "lower", interval: { centered: true } },
  mae: { title: "mean absolute error", better: "lower", interval: {} },
  rmse: { title: "root mean squared error", better: "lower", interval: {} },
  medianError: { title: "median absolute error", better: "lower", interval: {} },
  r2: { title: "R²", better: "higher", interval: {} },
  spearman: { title: "Spearman correlation", better: "higher", interval: {} },
} as const satisfies Record<string, MeasureInfo>;

/** The name of a measure in records. */
export type MeasureName = keyof typeof MEASURES;

/** Whether a record's key is the name of a measure. */
export function isMeasure(name: string): name is MeasureName {
  return Object.hasOwn(MEASURES, name);
}
