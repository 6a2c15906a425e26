/** Learning rates that fall in steps: at regular distances, at chosen epochs, or after every epoch. */
import { checkRange } from "../check-range.ts";
import { checkEpochSpan, type EpochSpan, type Schedule, warmUp } from "./span.ts";

/** Options of {@link stepDecay}. */
export interface StepDecayOptions extends EpochSpan {
  /** Epochs between two falls, above 0. @default a third of the run */
  readonly stepSize?: number | undefined;
  /** What the rate is multiplied by at each, in (0, 1]. @default 0.1 */
  readonly gamma?: number | undefined;
}

/** Options of {@link multiStep}. */
export interface MultiStepOptions extends EpochSpan {
  /** Epochs after which the rate falls, at least 0. @default half and three quarters of the run */
  readonly milestones?: readonly number[] | undefined;
  /** What the rate is multiplied by at each, in (0, 1]. @default 0.1 */
  readonly gamma?: number | undefined;
}

/** Options of {@link exponential}. */
export interface ExponentialOptions extends EpochSpan {
  /** What the rate is multiplied by after every epoch, in (0, 1]. @default what leaves a hundredth after the run */
  readonly gamma?: number | undefined;
}

/**
 * `peak` times gamma for every `stepSize` epochs that are over, as torch.optim.lr_scheduler.StepLR stepped once per epoch.
 * @throws RangeError if an option is out of its range.
 */
export function stepDecay(options: StepDecayOptions): Schedule {
  const { peak, warmupSteps = 0, stepsPerEpoch, stepSize = epochsOf(options) / 3, gamma = 0.1 } = options;
  checkEpochSpan("step", options);
  checkRange("step: stepSize", stepSize, "(0, infinity)");
  checkRange("step: gamma", gamma, "(0, 1]");
  const distance = stepSize * stepsPerEpoch;
  return warmUp((step) => peak * gamma ** Math.floor((step - 1) / distance), warmupSteps);
}

/**
 * `peak` times gamma for every milestone that is reached, as torch.optim.lr_scheduler.MultiStepLR stepped once per epoch.
 * The default is that of He et al. 2015 (arXiv:1512.03385) on CIFAR-10.
 * @throws RangeError if an option is out of its range.
 */
export function multiStep(options: MultiStepOptions): Schedule {
  const { peak, warmupSteps = 0, stepsPerEpoch, milestones = shares(options, [0.5, 0.75]), gamma = 0.1 } = options;
  checkEpochSpan("multi-step", options);
  if (!Array.isArray(milestones)) throw new RangeError(`multi-step: milestones must be a list, got ${milestones}.`);
  for (const milestone of milestones) checkRange("multi-step: milestones", milestone, "[0, infinity)");
  checkRange("multi-step: gamma", gamma, "(0, 1]");
  const starts = milestones.map((milestone) => milestone * stepsPerEpoch);
  return warmUp((step) => peak * gamma ** starts.filter((start) => step - 1 >= start).length, warmupSteps);
}

/**
 * `peak` times gamma for every epoch that is over, as torch.optim.lr_scheduler.ExponentialLR stepped once per epoch.
 * @throws RangeError if an option is out of its range.
 */
export function exponential(options: ExponentialOptions): Schedule {
  const { peak, warmupSteps = 0, stepsPerEpoch, gamma = 0.01 ** (1 / epochsOf(options)) } = options;
  checkEpochSpan("exponential", options);
  checkRange("exponential: gamma", gamma, "(0, 1]");
  return warmUp((step) => peak * gamma ** Math.floor((step - 1) / stepsPerEpoch), warmupSteps);
}

function epochsOf({ totalSteps, stepsPerEpoch }: EpochSpan): number {
  return totalSteps / stepsPerEpoch;
}

function shares(span: EpochSpan, parts: readonly number[]): number[] {
  return parts.map((part) => part * epochsOf(span));
}
