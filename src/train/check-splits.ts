/** Whether there is something to learn from and something to measure on, with the files that can be used. */
import { access, constants } from "node:fs/promises";
import type { Dataset, Sample, Split } from "../data/sample.ts";
import { listed, RootstockError } from "../errors.ts";
import { countTargets, type Targets } from "../losses/targets.ts";
import { type TargetKind, targetsOf } from "./targets.ts";

export interface Unusable {
  readonly file: string;
  /** Reads on from the file's name. */
  readonly error: string;
}

/** The targets of a split's usable images. */
type SplitTargets = (name: Split) => { readonly targets: Targets };

/** How many files are looked at together. */
const LOOKS = 64;

/**
 * Fails as `checkSplits` does where files are gone: that can be told before any image is decoded.
 * @throws RootstockError BAD_DATA
 */
export async function checkFiles(data: Dataset): Promise<void> {
  const { samples } = data;
  const failed: Unusable[] = [];
  const there: Sample[] = [];
  for (let start = 0; start < samples.length; start += LOOKS) {
    const part = samples.slice(start, start + LOOKS);
    const looks = await Promise.allSettled(part.map(({ file }) => access(file, constants.R_OK)));
    for (const [i, { status }] of looks.entries())
      if (status === "fulfilled") there.push(part[i]!);
      else failed.push({ file: part[i]!.file, error: "cannot be read" });
  }
  const targetsIn: SplitTargets = (split) => ({
    targets: targetsOf(
      data,
      there.filter((sample) => sample.split === split),
    ),
  });
  checkSplits(data, targetsIn, failed);
}

/**
 * Every class needs a training image that can be used, which shows it; a regression needs any. Validation needs any.
 * @returns what makes training pointless for a part of the targets, one sentence each.
 * @throws RootstockError BAD_DATA naming the classes, and some of the files that failed.
 */
export function checkSplits(data: TargetKind, split: SplitTargets, failed: readonly Unusable[]): string[] {
  const reasons =
    failed.length > 0
      ? ` Not usable: ${listed(
          failed.map(({ file, error }) => `${file} ${error}`),
          2,
        )}.`
      : "";
  const { targets } = split("train");
  const { missing, notes } = CHECKS[data.task](data.classes, targets);
  if (missing !== undefined) throw new RootstockError("BAD_DATA", `${missing}${reasons}`);
  if (countTargets(split("validation").targets) === 0) {
    throw new RootstockError(
      "BAD_DATA",
      `validation requires at least one usable image, got none. Add images, or use a larger --val fraction.${reasons}`,
    );
  }
  return notes;
}

interface Findings {
  /** What training cannot do without. */
  readonly missing?: string | undefined;
  readonly notes: string[];
}

const CHECKS: Readonly<Record<Dataset["task"], (classes: readonly string[], train: Targets) => Findings>> = {
  "single-label": (classes, { values }) => {
    const trained = new Set(values);
    const absent = classes.filter((_, label) => !trained.has(label));
    if (absent.length === 0) return { notes: [] };
    return {
      missing: `training requires a usable image of every class, got none of ${listed(absent)}. Add images, or leave the class out.`,
      notes: [],
    };
  },
  "multi-label": (classes, train) => {
    const absent = classes.filter((_, j) => column(train, j).every((value) => value === 0));
    const missing = `training requires a usable image that shows each class, got none of ${listed(absent)}. Add images, or leave the class out.`;
    const always = classes.filter((_, j) => column(train, j).every((value) => value === 1));
    const note = `every training image shows ${listed(always)}: what is always there cannot be learned. Add images without it, or leave the class out.`;
    return { missing: absent.length > 0 ? missing : undefined, notes: always.length > 0 ? [note] : [] };
  },
  regression: (names, train) => {
    if (countTargets(train) === 0)
      return { missing: "training requires at least one usable image, got none.", notes: [] };
    const constant = names.filter((_, j) => column(train, j).every((value, _i, all) => value === all[0]));
    const note = `every training image has the same value of ${listed(constant)}: there is nothing to learn of it.`;
    return { notes: constant.length > 0 ? [note] : [] };
  },
};

/** The values of one class or target. */
function column(targets: Targets, j: number): Float32Array {
  const { values, width } = targets;
  return Float32Array.from({ length: countTargets(targets) }, (_, i) => values[i * width + j]!);
}
