/**
 * A linear probe: the linear head that a convex objective has on fixed features, fitted until it has converged. It takes
 * no learning rate, no number of epochs and no seed, so it says what features are worth (Kornblith et al. 2019,
 * arXiv:1805.08974), and it is where fine-tuning starts best (Kumar et al. 2022, arXiv:2202.10054).
 */
import { RootstockError } from "../../errors.ts";
import type { Activation } from "../../losses/loss.ts";
import { countTargets, type Targets } from "../../losses/targets.ts";
import type { Parameters } from "../../models/head.ts";
import { columnScale, rowLength } from "./column-scale.ts";
import { FeatureMatrix } from "./feature-matrix.ts";
import { minimize, type Pair } from "./minimize.ts";
import { bestOf, pointPath, searchPenalties, type Tried } from "./penalties.ts";
import { headOf, heldLoss, logit, type ProbeHead, parametersOf } from "./probe-head.ts";
import { ProbeObjective } from "./probe-objective.ts";
import { probeTargets, selectClasses, shownClasses } from "./probe-targets.ts";
import { rotate } from "./rotation.ts";
import { ROW_LOSSES } from "./row-losses.ts";

/**
 * Part of themselves by which weights may be wrong, on the way and in the end: on the way, validation losses then differ
 * by well under 1 % from the exact ones, at less than half of the iterations.
 */
const ROUGH = 1e-2;
const EXACT = 1e-4;

/** Rows per feature up to which turning them pays. */
const TURNED = 0.75;

/** Iterations for one penalty after which its fit is taken as it is. */
const MAX_ITERATIONS = 5000;

/** Features [n, width] row-major, with n rows of targets. */
export interface ProbeRows {
  readonly features: Float32Array;
  readonly targets: Targets;
}

export interface ProbeOptions {
  /** What is fitted: standardized features, and targets that may have weights. */
  readonly train: ProbeRows;
  /** What decides the penalty: features standardized as those of `train`. */
  readonly validation: ProbeRows;
  /** Number of outputs: classes, or the targets of a regression. */
  readonly numClasses: number;
  /**
   * The objective: softmax for cross-entropy, sigmoid for binary cross-entropy, identity for least squares (ridge
   * regression).
   */
  readonly activation: Activation;
  /**
   * Deviation of each feature before it was standardized, [width]: weights of features that varied little are then
   * penalized more, in inverse proportion to it. By default all weights are penalized alike.
   */
  readonly deviation?: Float32Array | undefined;
  /** Penalties to choose from, each above 0. @default a path from 100 down that ends where validation gets worse */
  readonly penalties?: readonly number[] | undefined;
  /** Threads of the matrix products; they change no bit of the result. @default 1 for small ones, else the number of physical cores */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A converged linear head. */
export interface Probe {
  /** HEAD.weight [numClasses, width] and HEAD.bias [numClasses], for the standardized features. */
  readonly parameters: Parameters;
  /**
   * The penalty l of the smallest validation loss: the weighted mean over rows of the sum over outputs of their loss, plus
   * l / 2 |W|^2, was minimized. scikit-learn's C is 1 / (l n) and its ridge's alpha l n, for n rows. Least squares count
   * half.
   */
  readonly penalty: number;
  /** Mean loss of the validation rows, as training shows it: the mean over independent outputs, squares in full. */
  readonly validationLoss: number;
  /** Iterations for all penalties together. */
  readonly iterations: number;
  /**
   * Whether the gradient's norm came down to 1e-4 l |W|: weights are then within that part of the exact ones, since the
   * objective curves by at least l.
   */
  readonly converged: boolean;
  /** All penalties, in the order in which they were tried. */
  readonly tried: readonly Tried[];
}

/**
 * Returns the best linear head on features, with the L2 penalty on the weights that gives the smallest validation loss;
 * the bias is free. Equal inputs give equal bits, whatever the number of threads.
 *
 * The smallest loss it is, not the strongest penalty within one standard error of it: on 16 pairs of a dataset and a
 * network that rule had a loss 11 % larger on images that had not chosen the penalty, and 0.26 points less accuracy.
 * A class that no training row shows has weights of 0 and the probability of one row more on the average row.
 * @throws RootstockError BAD_DATA for features or targets that are no numbers or without rows; SHAPE_MISMATCH; BAD_CONFIG;
 * ABORTED through `signal`.
 */
export async function trainProbe(options: ProbeOptions): Promise<Probe> {
  const { train, validation, numClasses, activation, deviation, penalties, threads, signal } = options;
  if (!(Number.isInteger(numClasses) && numClasses >= 1))
    throw new RootstockError("BAD_CONFIG", `numClasses requires a whole number from 1, got ${numClasses}.`);
  const targets = probeTargets(train.targets, { numClasses, activation, split: "training" });
  const heldTargets = probeTargets(validation.targets, { numClasses, activation, split: "validation" });
  const width = rowWidth(train, "training");
  if (rowWidth(validation, "validation") !== width) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `validation rows require ${width} features as training rows have, got ${rowWidth(validation, "validation")}.`,
    );
  }
  const scale = columnScale(train.features, width, deviation);
  const classes = shownClasses(targets, activation);
  const shown = selectClasses(targets, classes.shown);
  const columns = shown.numClasses;
  await using features = await FeatureMatrix.create(train.features, { width, scale, columns, threads });
  await using held = await FeatureMatrix.create(validation.features, { width, scale, columns, threads });
  await using rotation = features.rows <= TURNED * width ? await rotate(features, { columns, threads }) : undefined;
  const objective = await ProbeObjective.create(rotation?.features ?? features, shown, {
    loss: ROW_LOSSES[activation],
    width: rotation?.rank ?? width,
    length: rowLength(train.features, scale),
    bias: Float64Array.from(classes.shown, (c) => logit(classes.prior[c]!, activation)),
  });

  const path = pointPath();
  let iterations = 0;
  let curvature: { readonly penalty: number; readonly pairs: readonly Pair[] } = { penalty: 0, pairs: [] };
  const check = (): void => {
    if (signal?.aborted)
      throw new RootstockError("ABORTED", `the probe was interrupted after ${iterations} iterations.`);
    iterations++;
  };
  const fit = async (penalty: number, tolerance = ROUGH): Promise<Fit> => {
    const start = path.predict(penalty);
    if (start) await objective.restart(start);
    objective.aim(penalty, tolerance);
    const pairs = objective.converted(curvature.pairs, curvature.penalty, penalty);
    const found = await minimize(objective, { maxIterations: MAX_ITERATIONS, check, pairs });
    iterations--; // the last check found that there was nothing left to do
    curvature = { penalty, pairs: found.pairs };
    path.add(penalty, objective.point.slice());
    const { weights, ...rest } = headOf(objective, { ...classes, activation, shares: shown.shares });
    const head = { ...rest, weights: (await rotation?.weights(weights)) ?? weights };
    const validationLoss = await heldLoss(held, heldTargets, head, activation);
    return { penalty, validationLoss, head, converged: found.converged };
  };
  const tried = await searchPenalties(async (penalty) => {
    const { validationLoss } = await fit(penalty);
    return { penalty, validationLoss };
  }, penalties);
  const chosen = bestOf(tried);
  const { penalty, validationLoss, head, converged } = await fit(chosen.penalty, EXACT);
  return {
    parameters: parametersOf(head, scale),
    penalty,
    validationLoss,
    iterations,
    converged,
    tried: tried.map((one) => (one === chosen ? { penalty, validationLoss } : one)),
  };
}

/** What a penalty gave. */
interface Fit extends Tried {
  readonly head: ProbeHead;
  readonly converged: boolean;
}

/** Numbers per row. @throws RootstockError SHAPE_MISMATCH if rows are not whole; BAD_DATA for a feature that is no number. */
function rowWidth({ features, targets }: ProbeRows, split: string): number {
  const count = countTargets(targets);
  const width = features.length / count;
  if (!(Number.isInteger(width) && width >= 1)) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `${count} ${split} rows require as many features each, got ${features.length} numbers in all.`,
    );
  }
  const wrong = features.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new RootstockError(
      "BAD_DATA",
      `features require finite numbers, got ${features[wrong]} at ${split} row ${Math.floor(wrong / width)}, column ${wrong % width}. The model gives no number for that image, or the preprocessing is not the one it was trained with.`,
    );
  }
  return width;
}
