/** Whether there is something to learn from and something to measure on, with the files that can be used. */
import { access, constants } from "node:fs/promises";
import { type Dataset, labelsOf, type Sample, type Split } from "../data/sample.ts";
import { listed, RootstockError } from "../errors.ts";

export interface Unusable {
  readonly file: string;
  /** Reads on from the file's name. */
  readonly error: string;
}

/** How many files are looked at together. */
const LOOKS = 64;

/**
 * Fails as `checkSplits` does where files are gone: that can be told before any image is decoded.
 * @throws RootstockError BAD_DATA
 */
export async function checkFiles({ classes, samples }: Dataset): Promise<void> {
  const failed: Unusable[] = [];
  const there: Sample[] = [];
  for (let start = 0; start < samples.length; start += LOOKS) {
    const part = samples.slice(start, start + LOOKS);
    const looks = await Promise.allSettled(part.map(({ file }) => access(file, constants.R_OK)));
    for (const [i, { status }] of looks.entries())
      if (status === "fulfilled") there.push(part[i]!);
      else failed.push({ file: part[i]!.file, error: "cannot be read" });
  }
  const labelsIn = (split: Split) => ({ labels: labelsOf(there.filter((sample) => sample.split === split)) });
  checkSplits(classes, labelsIn, failed);
}

/**
 * Every class needs a training image that can be used, and validation needs any.
 * @param split the class indices of a split's usable images.
 * @throws RootstockError BAD_DATA naming the classes, and some of the files that failed.
 */
export function checkSplits(
  classes: readonly string[],
  split: (name: Split) => { readonly labels: Int32Array },
  failed: readonly Unusable[],
): void {
  const reasons =
    failed.length > 0
      ? ` Not usable: ${listed(
          failed.map(({ file, error }) => `${file} ${error}`),
          2,
        )}.`
      : "";
  const trained = new Set(split("train").labels);
  const absent = classes.filter((_, label) => !trained.has(label));
  if (absent.length > 0) {
    throw new RootstockError(
      "BAD_DATA",
      `training requires a usable image of every class, got none of ${listed(absent)}. Add images, or remove the folder.${reasons}`,
    );
  }
  if (split("validation").labels.length === 0) {
    throw new RootstockError(
      "BAD_DATA",
      `validation requires at least one usable image, got none. Add images, or use a larger --val fraction.${reasons}`,
    );
  }
}
