/** Puts every sample into a split: as its folder or table says, as another run recorded, or by a seeded draw. */
import { RootstockError } from "../../errors.ts";
import type { Dataset, Sample, Split, SplitSource } from "../sample.ts";
import { kFold } from "./k-fold.ts";
import { applySavedSplit, type SavedSplit } from "./saved-split.ts";
import { drawValidation } from "./split.ts";
import type { SplitOptions } from "./split-options.ts";

/** What `assignSplits` needs to know of the data. */
export interface SplitRequest extends Pick<SplitOptions, "test" | "folds" | "fold"> {
  readonly purpose: "train" | "evaluate";
  readonly task: Dataset["task"];
  /** What put the samples into the splits they have. */
  readonly declared: "folders" | "column";
  readonly classes: readonly string[];
  readonly validation: number;
  readonly seed: number;
  readonly saved?: SavedSplit | undefined;
  readonly together?: readonly (readonly number[])[] | undefined;
}

type Assigned = Pick<Dataset, "samples" | "splitSource" | "notes">;

/** How far the share of validation images may be from the wanted one, of all images, without a note. */
const BEARABLE = 0.05;

/**
 * Returns the samples in their splits, what put them there, and what to say about it.
 *
 * A saved split decides where it is given. Else `folds` deal all images but those for testing. Else the splits that
 * the samples have are kept if some are for validation, and always to evaluate. Else validation images are drawn from
 * train, and with `test` images for testing before them.
 */
export function assignSplits(samples: readonly Sample[], request: SplitRequest): Assigned {
  const { purpose, task, declared, classes, validation, seed, saved, folds, fold = 0, test, together = [] } = request;
  if (saved !== undefined) return applySavedSplit(samples, saved, { classes, together });
  if (folds !== undefined) return dealFolds(samples, { task, seed, folds, fold, together });
  if (purpose === "evaluate") return { samples, splitSource: declared, notes: [] };
  if (test !== undefined && samples.some(({ split }) => split !== "train"))
    throw new RootstockError(
      "BAD_CONFIG",
      `test requires data without splits of their own, got ${test} for data with validation or test images. Leave it out.`,
    );
  if (samples.some(({ split }) => split === "validation")) return { samples, splitSource: declared, notes: [] };
  const settings = { task, seed, together };
  let drawn = samples;
  if (test !== undefined) drawn = drawInto(drawn, "test", test, { ...settings, stream: "split test" });
  const share = test === undefined ? validation : validation / (1 - test);
  drawn = drawInto(drawn, "validation", share, { ...settings, stream: "split" });
  const notes = [...shareNote(drawn, "validation", validation), ...shareNote(drawn, "test", test ?? 0)];
  const splitSource: SplitSource = { seed, fraction: validation, ...(test === undefined ? {} : { test }) };
  return { samples: drawn, splitSource, notes };
}

/**
 * Returns the dataset with its split drawn again under one more condition: no list of `together` is divided. A split
 * that was not drawn stays as it is.
 * @param together Lists of indices into the samples, such as clusters of near-duplicates.
 */
export function redrawSplits(dataset: Dataset, together: readonly (readonly number[])[]): Dataset {
  const { splitSource, samples, task, classes } = dataset;
  if (typeof splitSource === "string" || together.every((cluster) => cluster.length < 2)) return dataset;
  const wasDrawn = ({ split }: Sample): boolean =>
    split === "validation" || (split === "test" && "test" in splitSource && splitSource.test !== undefined);
  const undrawn = samples.map((sample) => (wasDrawn(sample) ? inSplit(sample, "train") : sample));
  const validation = "fraction" in splitSource ? splitSource.fraction : 0;
  const request = {
    ...splitSource,
    validation,
    purpose: "train",
    declared: "folders",
    task,
    classes,
    together,
  } as const;
  return { ...dataset, samples: assignSplits(undrawn, request).samples };
}

interface DrawSettings {
  readonly task: Dataset["task"];
  readonly seed: number;
  readonly together: readonly (readonly number[])[];
}

/** Makes a fraction of the training images images of another split. */
function drawInto(
  samples: readonly Sample[],
  split: Split,
  fraction: number,
  { seed, together, ...rest }: DrawSettings & { readonly stream: string },
): readonly Sample[] {
  const { members, clusters } = among(samples, together, (sample) => sample.split === "train");
  const drawn = drawValidation(members, fraction, seed, { ...rest, together: clusters });
  const chosen = new Set(members.filter((_, i) => drawn[i]));
  return samples.map((sample) => (chosen.has(sample) ? inSplit(sample, split) : sample));
}

function dealFolds(
  samples: readonly Sample[],
  { seed, folds, fold, task, together }: DrawSettings & { readonly folds: number; readonly fold: number },
): Assigned {
  const { members, clusters } = among(samples, together, ({ split }) => split !== "test");
  const dealt = kFold(members, folds, seed, { task, together: clusters });
  const foldOf = new Map(members.map((sample, i) => [sample, dealt[i]!]));
  const stay = dealt.filter((number) => number < 0).length;
  const notes = members.some(({ split }) => split === "validation")
    ? ["Training and validation images were dealt into folds together."]
    : [];
  if (stay > 0)
    notes.push(
      `${stay} image${stay === 1 ? "" : "s"} in no fold: nothing else holds their class, so they are training.`,
    );
  return {
    samples: samples.map((sample) => {
      const number = foldOf.get(sample);
      return number === undefined ? sample : inSplit(sample, number === fold ? "validation" : "train");
    }),
    splitSource: { seed, folds, fold },
    notes,
  };
}

/** The samples that are drawn from, and the clusters in indices of these. */
function among(
  samples: readonly Sample[],
  together: readonly (readonly number[])[],
  isMember: (sample: Sample) => boolean,
): { readonly members: readonly Sample[]; readonly clusters: readonly (readonly number[])[] } {
  const places = new Map<number, number>();
  const members = samples.filter((sample, i) => isMember(sample) && places.set(i, places.size) !== undefined);
  const clusters = together.map((cluster) =>
    cluster.flatMap((i) => {
      const place = places.get(i);
      return place === undefined ? [] : [place];
    }),
  );
  return { members, clusters };
}

function inSplit(sample: Sample, split: Split): Sample {
  return sample.split === split ? sample : { ...sample, split };
}

/** Says where groups kept a draw from its share. Few images miss it by rounding alone. */
function shareNote(samples: readonly Sample[], split: Split, wanted: number): readonly string[] {
  const share = samples.filter((sample) => sample.split === split).length / samples.length;
  const grouped = samples.some(({ group }) => group !== undefined);
  if (!grouped || Math.abs(share - wanted) <= BEARABLE) return [];
  const percent = (x: number): string => `${Math.round(100 * x)} %`;
  return [`The ${split} images are ${percent(share)} of all instead of ${percent(wanted)}: groups are not divided.`];
}
