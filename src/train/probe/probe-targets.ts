/** What the rows of a probe are compared with: one form for every task, of the classes that training shows. */
import { RootstockError } from "../../errors.ts";
import type { Activation } from "../../losses/loss.ts";
import { countTargets, type Targets } from "../../losses/targets.ts";

export interface ProbeTargets {
  /** [n, numClasses] row-major: probabilities, or values of a regression. */
  readonly values: Float32Array;
  /** What each row counts, [n]; their sum is 1. */
  readonly shares: Float64Array;
  readonly numClasses: number;
}

/** The tasks whose targets an activation reads. */
const TASKS: Readonly<Record<Activation, readonly Targets["task"][]>> = {
  softmax: ["single-label"],
  sigmoid: ["single-label", "multi-label"],
  identity: ["regression"],
};

export interface ProbeTargetsOptions {
  readonly numClasses: number;
  readonly activation: Activation;
  /** What the rows are for, in errors. */
  readonly split: "training" | "validation";
}

/**
 * Encodes and checks targets: class indices become rows of probabilities, weights shares of 1.
 * @throws RootstockError BAD_CONFIG if the activation does not read the task; BAD_DATA without rows, or for a target or
 * weight out of its range, naming the row.
 */
export function probeTargets(targets: Targets, options: ProbeTargetsOptions): ProbeTargets {
  const { numClasses, activation, split } = options;
  const { task, width } = targets;
  if (!TASKS[activation].includes(task)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `a probe with the activation ${activation} requires targets of ${TASKS[activation].join(" or ")}, got ${task}.`,
    );
  }
  if (countTargets(targets) === 0)
    throw new RootstockError("BAD_DATA", `a probe requires at least 1 ${split} row, got none.`);
  const indices = task === "single-label" && width === 1;
  if (!indices && width !== numClasses) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `${split} targets of ${task} require ${numClasses} numbers a row, got ${width}.`,
    );
  }
  const values = indices ? oneHot(targets.values, options) : targets.values;
  const [least, most] = { softmax: [0, Infinity], sigmoid: [0, 1], identity: [-Infinity, Infinity] }[activation] as [
    number,
    number,
  ];
  const wrong = values.findIndex((value) => !(value >= least && value <= most && Number.isFinite(value)));
  if (wrong >= 0) {
    const wanted = activation === "identity" ? "finite numbers" : `numbers from 0${most === 1 ? " to 1" : ""}`;
    throw badRow(split, Math.floor(wrong / width), `targets require ${wanted}, got ${values[wrong]}`);
  }
  return { values, shares: sharesOf(targets, split), numClasses };
}

/** Rows of probabilities from class indices. */
function oneHot(labels: Float32Array, { numClasses, split }: ProbeTargetsOptions): Float32Array {
  const rows = new Float32Array(labels.length * numClasses);
  for (const [row, label] of labels.entries()) {
    if (!(Number.isInteger(label) && label >= 0 && label < numClasses))
      throw badRow(split, row, `labels require a class index from 0 to ${numClasses - 1}, got ${label}`);
    rows[row * numClasses + label] = 1;
  }
  return rows;
}

function sharesOf(targets: Targets, split: ProbeTargetsOptions["split"]): Float64Array {
  const count = countTargets(targets);
  const weights = targets.weights ?? new Float32Array(count).fill(1);
  if (weights.length !== count)
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `${count} ${split} rows require as many weights, got ${weights.length}.`,
    );
  const wrong = weights.findIndex((weight) => !(weight > 0 && Number.isFinite(weight)));
  if (wrong >= 0) throw badRow(split, wrong, `weights require a finite number above 0, got ${weights[wrong]}`);
  const total = weights.reduce((sum, weight) => sum + weight, 0); // in float64, where no sum of float32 overflows
  return Float64Array.from(weights, (weight) => weight / total);
}

function badRow(split: string, row: number, what: string): RootstockError {
  return new RootstockError("BAD_DATA", `${what} at ${split} row ${row}.`);
}

/** Classes that training shows, and the probability of the others: rows of them would make their bias infinite. */
export interface ShownClasses {
  /** Indices of the classes with a problem to solve, in order. */
  readonly shown: readonly number[];
  /** The probability that each class has on average over the training rows, [numClasses]; means of a regression. */
  readonly prior: readonly number[];
}

/**
 * Splits classes into those to fit and those that no row, or for independent classes every row, belongs to: their best
 * bias is infinite. Their probability is what it would be with one row more of each kind.
 */
export function shownClasses(targets: ProbeTargets, activation: Activation): ShownClasses {
  const { values, shares, numClasses } = targets;
  const mean = new Array<number>(numClasses).fill(0);
  const least = new Array<number>(numClasses).fill(Infinity);
  const most = new Array<number>(numClasses).fill(-Infinity);
  for (const [i, value] of values.entries()) {
    const c = i % numClasses;
    mean[c]! += shares[Math.floor(i / numClasses)]! * value;
    least[c] = Math.min(least[c]!, value);
    most[c] = Math.max(most[c]!, value);
  }
  const all = mean.map((_, c) => c);
  if (activation === "identity") return { shown: all, prior: mean };
  const shown = all.filter((c) => most[c]! > 0 && (activation === "softmax" || least[c]! < 1));
  const one = 1 / (shares.length + 2);
  return { shown, prior: mean.map((value, c) => (shown.includes(c) ? value : most[c]! > 0 ? 1 - one : one)) };
}

/** The targets of some of the classes only. */
export function selectClasses({ values, shares, numClasses }: ProbeTargets, classes: readonly number[]): ProbeTargets {
  if (classes.length === numClasses) return { values, shares, numClasses };
  const chosen = new Float32Array(shares.length * classes.length);
  for (let row = 0, to = 0; row < shares.length; row++)
    for (const c of classes) chosen[to++] = values[row * numClasses + c]!;
  return { values: chosen, shares, numClasses: classes.length };
}
