/** The options that decide where splits come from, and which of them go together. */
import { RootstockError } from "../../errors.ts";

/** The share of images that is drawn for validation where none is given. */
export const DEFAULT_FRACTION = 0.2;

/** Where splits come from. */
export interface SplitOptions {
  /** Share in (0, 1) of all images that is drawn for testing, where the data have no splits. */
  readonly test?: number | undefined;
  /** Deals the training and validation images into so many folds; one of them is for validation. */
  readonly folds?: number | undefined;
  /** Which of the `folds` is for validation, from 0. @default 0 */
  readonly fold?: number | undefined;
  /** The folder of a run, or its data.json: its split is used again, image by image. */
  readonly splits?: string | undefined;
}

interface AllSplitOptions extends SplitOptions {
  readonly validation?: number | string | undefined;
  readonly seed?: number | undefined;
  readonly purpose?: "train" | "evaluate" | undefined;
}

/** @throws RootstockError BAD_CONFIG for options that cannot be, or not together. */
export function checkSplitOptions(options: AllSplitOptions): void {
  const { purpose, seed } = options;
  if (purpose !== undefined && purpose !== "train" && purpose !== "evaluate")
    refuse(`purpose requires "train" or "evaluate", got ${JSON.stringify(purpose)}.`);
  if (seed !== undefined && !Number.isSafeInteger(seed)) refuse(`seed requires a whole number, got ${seed}.`);
  checkCombination(options);
  checkFractions(options);
  checkFolds(options);
}

function checkCombination({ validation, test, folds, splits, purpose }: AllSplitOptions): void {
  for (const [name, value] of Object.entries({ validation, test, folds })) {
    if (value === undefined) continue;
    if (purpose === "evaluate")
      refuse(
        `${name} requires the purpose "train", got ${value} with "evaluate". Leave it out, or read that folder itself.`,
      );
    if (splits !== undefined) refuse(`${name} must not be given with splits, which decide every split. Leave one out.`);
    if (name !== "folds" && folds !== undefined)
      refuse(`${name} must not be given with folds, one of which is for validation. Leave one out.`);
  }
  if (test !== undefined && typeof validation === "string")
    refuse(`test requires data without splits of their own, got ${test} with the validation images of ${validation}.`);
}

function checkFractions({ validation: given, test }: AllSplitOptions): void {
  const validation = given ?? DEFAULT_FRACTION;
  for (const [name, value] of Object.entries({ validation, test })) {
    if (typeof value === "number" && !(value > 0 && value < 1))
      refuse(`${name} requires a fraction between 0 and 1, such as 0.2${APART[name] ?? ""}, got ${value}.`);
  }
  if (test !== undefined && typeof validation === "number" && test + validation >= 1)
    refuse(`validation and test require less than 1 together, got ${validation} and ${test}.`);
}

const APART: Readonly<Record<string, string>> = { validation: ", or a folder of classes" };

function checkFolds({ folds, fold }: AllSplitOptions): void {
  if (folds !== undefined && !(Number.isSafeInteger(folds) && folds >= 2))
    refuse(`folds requires a whole number from 2, got ${folds}.`);
  if (fold === undefined) return;
  if (folds === undefined) refuse(`fold requires folds, got ${fold} without.`);
  if (!(Number.isSafeInteger(fold) && fold >= 0 && fold < (folds ?? 0)))
    refuse(`fold requires a whole number from 0 to ${(folds ?? 0) - 1}, got ${fold}.`);
}

function refuse(message: string): never {
  throw new RootstockError("BAD_CONFIG", message);
}
