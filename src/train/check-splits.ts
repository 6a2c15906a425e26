/** Whether there is something to learn from and something to measure on, with the files that can be used. */
import { access, constants } from "node:fs/promises";
import { count, FEW_STEPS, float32Steps } from "../data/dataset-notes.ts";
import type { Dataset, Sample, Split } from "../data/sample.ts";
import { listed, RootstockError } from "../errors.ts";
import { printable } from "../graph/printable.ts";
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
 * Fails as `checkSplits` does where files are gone, and where values are too fine for a model to tell apart: both can be
 * told before any image is decoded.
 * @throws RootstockError BAD_DATA
 */
export async function checkFiles(data: Dataset): Promise<void> {
  const { samples } = data;
  checkFineness(data);
  const failed: Unusable[] = [];
  const there: Sample[] = [];
  for (let start = 0; start < samples.length; start += LOOKS) {
    const part = samples.slice(start, start + LOOKS);
    const looks = await Promise.allSettled(
      part.map(async ({ file, content }) => content ?? (await access(file, constants.R_OK))),
    );
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

/** Refuses values that differ, and are one number in single precision, which models compute in: any score would lie. */
function checkFineness({ task, classes, samples }: Dataset): void {
  if (task !== "regression" || samples.length === 0) return;
  for (const [j, name] of classes.entries()) {
    const [low, high] = boundsOf(samples.map(({ target }) => target[j]!));
    if (low === high || Math.fround(low) !== Math.fround(high) || !Number.isFinite(Math.fround(low))) continue;
    throw new RootstockError(
      "BAD_DATA",
      `the target ${printable(name)} requires values that differ in single precision (float32), which models give: ${low} to ${high} are all ${Math.fround(low)} there. Subtract a number such as ${Math.fround(low)} from the column.`,
    );
  }
}

/**
 * Every single-label class needs a training image that can be used; of several labels, one that never shows is noted, and a
 * regression needs any image. Validation needs any.
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
  const { missing, notes } = CHECKS[data.task](data.classes, targets, split);
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

const CHECKS: Readonly<
  Record<Dataset["task"], (classes: readonly string[], train: Targets, split: SplitTargets) => Findings>
> = {
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
    if (countTargets(train) === 0) return NOTHING;
    const absent = classes.filter((_, j) => column(train, j).every((value) => value === 0));
    const always = classes.filter((_, j) => column(train, j).every((value) => value === 1));
    const note = `every training image shows ${listed(always)}: what is always there cannot be learned. Add images without it, or leave the class out.`;
    const never = `no training image shows ${listed(absent)}: the model will always find it unlikely. Add images with it, or leave the class out.`;
    if (absent.length === classes.length)
      return { missing: "training requires a usable image that shows any of the classes, got none.", notes: [] };
    return { notes: [...(absent.length > 0 ? [never] : []), ...(always.length > 0 ? [note] : [])] };
  },
  regression: (names, train, split) => {
    if (countTargets(train) === 0) return NOTHING;
    const constant = names.filter((_, j) => isConstant(column(train, j)));
    const note = `every training image has the same value of ${listed(constant)}: there is nothing to learn of it, and R² says nothing.`;
    const fixed = new Set(constant);
    const measured = (["validation", "test"] as const).flatMap((name) => {
      const { targets } = split(name);
      if (countTargets(targets) < 2) return [];
      const same = names.filter((target, j) => !fixed.has(target) && isConstant(column(targets, j)));
      return same.length > 0
        ? [`every ${name} image has the same value of ${listed(same)}: R² says nothing there.`]
        : [];
    });
    const coarse = names.flatMap((name, j) => (fixed.has(name) ? [] : coarseNote(name, column(train, j))));
    return { notes: [...(constant.length > 0 ? [note] : []), ...measured, ...coarse] };
  },
};

const NOTHING: Findings = { missing: "training requires at least one usable image, got none.", notes: [] };

function isConstant(values: Float32Array): boolean {
  return values.every((value) => value === values[0]);
}

/** Says where the outputs of a model, which are single precision, are coarse beside what they tell apart. */
function coarseNote(name: string, values: Float32Array): readonly string[] {
  const [low, high] = boundsOf(values);
  const steps = float32Steps(low, high);
  if (steps >= FEW_STEPS) return [];
  return [
    `the values of ${name}, ${low} to ${high}, are ${count(Math.round(steps), "step")} of single precision (float32) apart, and a model gives no finer ones. Subtract a number such as ${low} from the column.`,
  ];
}

/** The smallest and the largest. */
function boundsOf(values: Iterable<number>): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

/** The values of one class or target. */
function column(targets: Targets, j: number): Float32Array {
  const { values, width } = targets;
  return Float32Array.from({ length: countTargets(targets) }, (_, i) => values[i * width + j]!);
}
