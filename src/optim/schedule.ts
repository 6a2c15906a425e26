/** Learning rate schedules: functions of the step, closed over their options. Steps count from 1. */

/** Learning rate of an update. */
export type Schedule = (step: number) => number;

/** The same learning rate for every step. */
export function constant(learningRate: number): Schedule {
  return () => learningRate;
}

export interface CosineOptions {
  /** Highest learning rate, reached at the end of the warm-up. */
  readonly peak: number;
  readonly totalSteps: number;
  /** Steps of linear warm-up. @default 0 */
  readonly warmupSteps?: number | undefined;
  /** Learning rate of the last step. @default 0 */
  readonly final?: number | undefined;
}

/** Linear warm-up to `peak`, then half a cosine down to `final` (SGDR without restarts, arXiv:1608.03983). */
export function cosine({ peak, totalSteps, warmupSteps = 0, final = 0 }: CosineOptions): Schedule {
  return (step) => {
    if (step <= warmupSteps) return (peak * step) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    return final + (peak - final) * 0.5 * (1 + Math.cos(Math.PI * progress));
  };
}
