/** How much constant folding may compute: a file of a few bytes can describe more than any machine can hold. */
import { sizeOf, type Tensor } from "../tensor/tensor.ts";

/** Asked before the work: whether a tensor of these sizes may be computed. */
export type FoldBudget = (sizes: readonly number[]) => boolean;

/** More axes than any tensor has. */
export const MAX_FOLDED_RANK = 64;

/** Results of so many elements are always small enough. */
const FREE_ELEMENTS = 2 ** 24;

/** How often folding may rewrite all weights of the file: casts, transposes and slices of them are legitimate. */
const REWRITES = 8;

/**
 * A budget for one graph. No result is larger than 2^24 elements or the largest of its weights, and all results
 * together have at most 2^24 elements more than eight times its weights. What does not fit stays computed.
 */
export function foldBudget(weights: Iterable<Tensor> = []): FoldBudget {
  const sizes = Array.from(weights, ({ data }) => data.length);
  const largest = sizes.reduce((x, y) => Math.max(x, y), FREE_ELEMENTS);
  let left = FREE_ELEMENTS + REWRITES * sizes.reduce((x, y) => x + y, 0);
  return (shape) => {
    if (shape.length > MAX_FOLDED_RANK || !shape.every(isSize)) return false;
    // An axis of size 0 counts as 1: the loops over the axes before it run all the same.
    const elements = sizeOf(shape.map((size) => Math.max(size, 1)));
    if (elements > largest || elements > left) return false;
    left -= elements;
    return true;
  };
}

/** Whether a number can be the size of an axis. */
export function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}
