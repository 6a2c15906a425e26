/** Learning rate schedules: functions of the step, closed over their options. Steps count from 1. */

/** Learning rate of an update. */
export type Schedule = (step: number) => number;

/** The same learning rate for every step. */
export function constant(learningRate: number): Schedule {
  return () => learningRate;
}

/** A cosine schedule. */
export interface CosineOptions {
  /** Highest learning rate, reached at the end of the warm-up. */
  readonly peak: number;
  readonly totalSteps: number;
  /** Steps of linear warm-up. @default 0 */
  readonly warmupSteps?: number | undefined;
  /** Learning rate after the last step. @default 0 */
  readonly final?: number | undefined;
}

/**
 * Linear warm-up to `peak`, then half a cosine towards `final` (SGDR without restarts, arXiv:1608.03983). The end of the
 * curve is one step beyond the last, so that every step moves, even if there is one alone.
 * @throws RangeError if `totalSteps` is not a positive whole number, or `warmupSteps` is larger or negative.
 */
export function cosine({ peak, totalSteps, warmupSteps = 0, final = 0 }: CosineOptions): Schedule {
  if (!Number.isSafeInteger(totalSteps) || totalSteps < 1) {
    throw new RangeError(`cosine: totalSteps must be a whole number from 1, got ${totalSteps}.`);
  }
  if (!(warmupSteps >= 0 && warmupSteps <= totalSteps)) {
    throw new RangeError(`cosine: warmupSteps must be in [0, totalSteps], got ${warmupSteps}.`);
  }
  return (step) => {
    if (step <= warmupSteps) return (peak * step) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / (totalSteps - warmupSteps + 1));
    return final + (peak - final) * 0.5 * (1 + Math.cos(Math.PI * progress));
  };
}
