/** Deals samples into folds for cross-validation, under the same rules as a draw of validation images. */
import { RootstockError } from "../../errors.ts";
import { rng } from "../../random.ts";
import { apportion, type DrawOptions, loneUnits, type Splittable, unitsWithStrata } from "./stratify.ts";

/**
 * Returns the fold of each sample, from 0 to k - 1, or -1 for what is training in every fold.
 *
 * Folds are about equal in size and in their share of every class, label or quantile bin. Equal content, groups and the
 * lists of `together` are never divided. What holds a class alone would leave a fold without training images of it: it
 * gets -1. The folds depend on the contents and the seed, not on the order of `samples` nor on names.
 * @param k From 2 to the number of samples that may be held apart.
 * @throws RootstockError BAD_CONFIG if `k` is no whole number from 2; BAD_DATA for fewer separate images than folds.
 */
export function kFold(
  samples: readonly Splittable[],
  k: number,
  seed: number,
  { task = "single-label", together = [] }: DrawOptions = {},
): Int32Array {
  if (!Number.isSafeInteger(k) || k < 2)
    throw new RootstockError("BAD_CONFIG", `folds requires a whole number from 2, got ${k}.`);
  const units = unitsWithStrata(samples, 1 / k, { task, together });
  const lone = task === "regression" ? new Set() : loneUnits(units);
  const dealt = units.filter((unit) => !lone.has(unit));
  if (dealt.length < k) {
    throw new RootstockError(
      "BAD_DATA",
      `${k} folds require ${k} images or groups that may be held apart, found ${dealt.length}. Ask for fewer folds, or add images.`,
    );
  }
  const parts = apportion(
    dealt,
    Array.from({ length: k }, () => 1 / k),
    rng(seed).fork(`${k} folds`),
  );
  const folds = new Int32Array(samples.length).fill(-1);
  for (const [i, { members }] of dealt.entries()) for (const member of members) folds[member] = parts[i]!;
  return folds;
}
