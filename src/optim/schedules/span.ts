/** What a schedule of the learning rate is: a function of the step, closed over its options. Steps count from 1. */
import { checkRange } from "../check-range.ts";

/** Learning rate of an update. */
export type Schedule = (step: number) => number;

/** What every schedule spans. */
export interface ScheduleSpan {
  /** Highest learning rate. */
  readonly peak: number;
  readonly totalSteps: number;
  /** Steps of linear warm-up. @default 0 */
  readonly warmupSteps?: number | undefined;
}

/** The span of a schedule whose options count epochs; they may be fractions. */
export interface EpochSpan extends ScheduleSpan {
  readonly stepsPerEpoch: number;
}

/**
 * A schedule with its first steps scaled by 1 / warmupSteps, 2 / warmupSteps, … 1. The schedule runs on beneath: what it
 * does at a later epoch it does there as without a warm-up. PyTorch chains LinearLR with the schedule for this.
 */
export function warmUp(schedule: Schedule, warmupSteps: number): Schedule {
  return (step) => (step <= warmupSteps ? (schedule(step) * step) / warmupSteps : schedule(step));
}

/**
 * How far the run behind the warm-up has come: 0 up to its last step, where the peak is, and 1 one step beyond the last
 * of all, so that every step moves, even if there is one alone.
 */
export function progressAt(step: number, { totalSteps, warmupSteps = 0 }: ScheduleSpan): number {
  return Math.max(0, Math.min(1, (step - warmupSteps) / (totalSteps - warmupSteps + 1)));
}

/**
 * Throws unless a schedule can be made for a span. For use in factories.
 * @throws RangeError naming the schedule, the option, what it must be and the value.
 */
export function checkSpan(name: string, { peak, totalSteps, warmupSteps = 0 }: ScheduleSpan): void {
  checkRange(`${name}: peak`, peak, "(0, infinity)");
  checkCount(`${name}: totalSteps`, totalSteps);
  if (!(warmupSteps >= 0 && warmupSteps <= totalSteps))
    throw new RangeError(`${name}: warmupSteps must be in [0, totalSteps], got ${warmupSteps}.`);
}

/** The same for a span with epochs. */
export function checkEpochSpan(name: string, span: EpochSpan): void {
  checkSpan(name, span);
  checkCount(`${name}: stepsPerEpoch`, span.stepsPerEpoch);
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new RangeError(`${name} must be a whole number from 1, got ${value}.`);
}
