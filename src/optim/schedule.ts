/** The schedules of the learning rate that can be chosen by name. */
import { constant } from "./schedules/constant.ts";
import { type CosineOptions, cosine } from "./schedules/cosine.ts";
import { type CosineRestartsOptions, cosineRestarts } from "./schedules/cosine-restarts.ts";
import { type OneCycleOptions, oneCycle } from "./schedules/one-cycle.ts";
import { type PolynomialOptions, polynomial } from "./schedules/polynomial.ts";
import { checkSpan, type EpochSpan, type Schedule, warmUp } from "./schedules/span.ts";
import {
  type ExponentialOptions,
  exponential,
  type MultiStepOptions,
  multiStep,
  type StepDecayOptions,
  stepDecay,
} from "./schedules/step-decay.ts";

/** The options of all schedules besides the span; each takes those that its entry names and leaves the others unread. */
export type ScheduleSettings = Omit<
  StepDecayOptions &
    MultiStepOptions &
    ExponentialOptions &
    PolynomialOptions &
    CosineOptions &
    CosineRestartsOptions &
    OneCycleOptions,
  keyof EpochSpan
>;

/** A named schedule. */
export interface ScheduleEntry {
  /** Makes the schedule for a run; every option of its own has a default. */
  readonly create: (options: EpochSpan & ScheduleSettings) => Schedule;
  /** Names of the options that `create` takes besides the span. */
  readonly optionNames: readonly (keyof ScheduleSettings)[];
}

/**
 * Every schedule by its name in options, commands and run records. Those that count epochs, one-cycle and constant keep
 * their steps under a warm-up, which scales them; polynomial and cosine start to fall behind it.
 */
export const SCHEDULES = {
  constant: {
    create: (span: EpochSpan) => {
      checkSpan("constant", span);
      return warmUp(constant(span.peak), span.warmupSteps ?? 0);
    },
    optionNames: [],
  },
  step: { create: stepDecay, optionNames: ["stepSize", "gamma"] },
  "multi-step": { create: multiStep, optionNames: ["milestones", "gamma"] },
  exponential: { create: exponential, optionNames: ["gamma"] },
  polynomial: { create: polynomial, optionNames: ["power", "final"] },
  cosine: { create: cosine, optionNames: ["final"] },
  "cosine-restarts": { create: cosineRestarts, optionNames: ["firstCycle", "factor", "final"] },
  "one-cycle": { create: oneCycle, optionNames: ["warmupShare", "divFactor", "finalDivFactor"] },
} as const satisfies Record<string, ScheduleEntry>;

/** Name of a schedule. */
export type ScheduleName = keyof typeof SCHEDULES;

export { type Schedule, warmUp } from "./schedules/span.ts";
export { type CosineOptions, constant, cosine };
