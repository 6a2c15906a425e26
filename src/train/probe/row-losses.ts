/** The objective of one row of outputs and its gradient, in float64, for each way of reading outputs. */
import type { Activation } from "../../losses/loss.ts";

/**
 * The objective of the outputs z [k] of one row, from its targets t [k]; writes the gradient over z to `residual` [k].
 * Targets and residuals are those of many rows, this one's from `start` on. A sum over the outputs, so that each output
 * of independent ones is a problem of its own.
 */
export type RowLoss = (z: Float64Array, t: Float32Array, residual: Float64Array, start: number) => number;

/** sum t (log sum exp z - z): cross-entropy, with targets that need not be one class. */
const softmax: RowLoss = (z, t, residual, start) => {
  const k = z.length;
  let top = z[0]!;
  for (let c = 1; c < k; c++) if (z[c]! > top) top = z[c]!;
  let sum = 0;
  let mass = 0;
  let picked = 0;
  for (let c = 0; c < k; c++) {
    residual[start + c] = Math.exp(z[c]! - top);
    sum += residual[start + c]!;
    mass += t[start + c]!;
    if (t[start + c] !== 0) picked += t[start + c]! * (z[c]! - top);
  }
  for (let c = 0; c < k; c++) residual[start + c] = (mass * residual[start + c]!) / sum - t[start + c]!;
  return mass * Math.log(sum) - picked;
};

/** sum softplus(z) - z t: binary cross-entropy. */
const sigmoid: RowLoss = (z, t, residual, start) => {
  let loss = 0;
  for (let c = 0; c < z.length; c++) {
    const small = Math.exp(-Math.abs(z[c]!)); // at most 1
    const positive = z[c]! > 0;
    residual[start + c] = (positive ? 1 : small) / (1 + small) - t[start + c]!;
    loss += Math.log1p(small) + (positive ? z[c]! * (1 - t[start + c]!) : -z[c]! * t[start + c]!);
  }
  return loss;
};

/** sum (z - t)^2 / 2: least squares. */
const identity: RowLoss = (z, t, residual, start) => {
  let loss = 0;
  for (let c = 0; c < z.length; c++) {
    residual[start + c] = z[c]! - t[start + c]!;
    loss += residual[start + c]! ** 2 / 2;
  }
  return loss;
};

export const ROW_LOSSES = { softmax, sigmoid, identity } as const satisfies Record<Activation, RowLoss>;

/** What a sum over k outputs is multiplied by to be the loss that training shows: the mean over independent outputs. */
export function shownLoss(activation: Activation, k: number): number {
  return { softmax: 1, sigmoid: 1 / k, identity: 2 / k }[activation];
}
