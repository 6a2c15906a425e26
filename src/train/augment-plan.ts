/** How the training images of a run vary: chosen for the data, and fitted to what of the network is computed once. */
import type { Dataset } from "../data/sample.ts";
import { bySplit } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import { type AskedAugmentation, chooseAugmentation } from "../transforms/presets.ts";
import type { Augmentation } from "../transforms/transform.ts";
import type { DataRowsOptions } from "./data-rows.ts";

/** What a user may say about augmentation. */
export interface AugmentOptions {
  readonly augmentation?: AskedAugmentation | undefined;
  readonly views?: number | undefined;
}

/** What varies in a run; JSON-safe, for its record. */
export interface AugmentPlan {
  /** Undefined where every epoch sees the clean images. */
  readonly augmentation: Augmentation | undefined;
  /** Random views of each training image whose features are computed once and kept; 0 where epochs make their own. */
  readonly views: number;
  /** Why, and what it costs, for people. */
  readonly notes: readonly string[];
}

/** Most views that are kept of an image. */
const MOST_VIEWS = 1000;

/**
 * Plans the augmentation of a run. Where a frozen part is computed once, its features of `views` random views are kept
 * beside those of the clean image; where training starts at the image, every epoch sees a new view.
 * @param frozen Whether there is such a part.
 * @throws RootstockError BAD_CONFIG for an augmentation or a number of views that cannot be, or views of no augmentation.
 */
export function planAugmentation(
  { augmentation: asked, views: given }: AugmentOptions,
  data: Dataset,
  frozen: boolean,
): AugmentPlan {
  if (given !== undefined && !(Number.isInteger(given) && given >= 0 && given <= MOST_VIEWS))
    throw new RootstockError("BAD_CONFIG", `views requires a whole number from 0 to ${MOST_VIEWS}, got ${given}.`);
  if (given !== undefined && !frozen)
    throw new RootstockError(
      "BAD_CONFIG",
      `views requires a frozen part whose features can be kept, got views ${given} and a network that trains from the image on: every epoch sees a new view there. Leave it out.`,
    );
  const { classes, task } = data;
  const samples = bySplit(data, "train").length;
  const chosen = chooseAugmentation(asked, { samples, classes, task });
  const changes = chosen.augmentation.transforms.length > 0;
  if (!changes && given !== undefined && given > 0)
    throw new RootstockError(
      "BAD_CONFIG",
      `views requires an augmentation that changes images, got views ${given} and none. Leave one of them out.`,
    );
  const usual = asked === undefined && task !== "single-label" ? 0 : USUAL_VIEWS;
  const views = frozen ? (given ?? Math.min(usual, Math.floor(AFFORDABLE_RUNS / Math.max(1, samples)))) : 0;
  if (changes && frozen && views === 0)
    return { augmentation: undefined, views: 0, notes: asked === undefined ? [] : [unused(given, samples)] };
  if (!changes) return { augmentation: undefined, views: 0, notes: [] };
  const how = frozen
    ? `${views} random view${views === 1 ? "" : "s"} of each training image: ${samples * views} more runs of the frozen part, once; they are kept (--views 0 for none)`
    : "a new random view of each training image in every epoch";
  return {
    augmentation: chosen.augmentation,
    views,
    notes: [...chosen.reasons, `Training sees ${how}.`].map(inColumn),
  };
}

/**
 * Views where no number was asked for, as far as they are affordable: see bench/RESULTS.md, "Views of a frozen network".
 * Without a word there are none for values and for several labels: on cells and on steering angles they did not help.
 */
const USUAL_VIEWS = 8;
/** Runs of the frozen part that nobody has to ask for: some seconds with a small network, a minute with a large one. */
const AFFORDABLE_RUNS = 1000;

/** Why an augmentation that was asked for does nothing. */
function unused(given: number | undefined, samples: number): string {
  const why = given === 0 ? "views 0" : `views is 0 by default for ${samples} training images`;
  return inColumn(
    `none: ${why}, so the frozen part sees the clean images alone. Ask for views, such as --views 1, for ${samples} more runs of it.`,
  );
}

function inColumn(text: string): string {
  return `augment   ${text}`;
}

/** The options of rows: views that are kept where there are any, else new ones in every epoch. */
export function viewsOf(
  { augmentation, views: count }: AugmentPlan,
  seed: number,
): Required<Pick<DataRowsOptions, "views" | "augmented">> {
  if (augmentation === undefined) return { views: undefined, augmented: undefined };
  if (count === 0) return { augmented: { augmentation, seed }, views: undefined };
  const views = { augmentation, seed, count };
  return { augmented: views, views };
}
