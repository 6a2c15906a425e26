/** Augmentation that fits the task and the number of images, with the reasons in words. */
import { RootstockError } from "../errors.ts";
import { parseAugmentation } from "./augmentation-schema.ts";
import { checkChoice, checkKeys, didYouMean, shown } from "./known-options.ts";
import { mirrorable } from "./mirrorable.ts";
import type { Augmentation, TransformSpec } from "./transform.ts";

/** How much a preset changes. */
export const AUGMENTATION_LEVELS = ["none", "light", "medium", "strong"] as const;
export type AugmentationLevel = (typeof AUGMENTATION_LEVELS)[number];

export interface AugmentationPresetOptions {
  /** Images for training. */
  readonly samples: number;
  /** Names of the classes, or of the targets of a regression. */
  readonly classes: readonly string[];
  readonly task: "single-label" | "multi-label" | "regression";
  /** @default "light" below 2000 images, else "medium" */
  readonly level?: AugmentationLevel | undefined;
}

const OPTIONS: Readonly<Record<keyof AugmentationPresetOptions, true>> = {
  samples: true,
  classes: true,
  task: true,
  level: true,
};

/** An augmentation, and why it is what it is. */
export interface AugmentationPreset {
  readonly augmentation: Augmentation;
  readonly level: AugmentationLevel;
  /** One sentence for each decision, for people. */
  readonly reasons: readonly string[];
}

/** From here on, a short run sees enough different images for stronger changes to pay. */
const MANY_IMAGES = 2000;

/**
 * Returns the augmentation that a run starts from when nobody chose one.
 *
 * - light: a random crop of half of the area or more, mirroring where it keeps the label, a turn of up to 10 degrees,
 *   and a little color jitter.
 * - medium: the same, one operation of TrivialAugment, and a tenth of the images with a part erased.
 * - strong: crops from 35 % of the area, RandAugment instead, and a quarter with a part erased.
 *
 * Regression keeps every pixel in its place, since a crop, turn or flip may change the value. Classes that may be side
 * side in one image are cropped less and not erased. Images are never turned upside down.
 * @throws RootstockError BAD_CONFIG for a level or task that does not exist.
 */
export function augmentationPreset(options: AugmentationPresetOptions): AugmentationPreset {
  checkKeys("augmentationPreset", options, OPTIONS);
  const { samples, classes, task, level } = options;
  if (level !== undefined) checkChoice("level", level, AUGMENTATION_LEVELS);
  checkChoice("task", task, ["single-label", "multi-label", "regression"]);
  if (!(Number.isInteger(samples) && samples >= 0))
    throw new RootstockError("BAD_CONFIG", `samples requires a whole number of images, got ${shown(samples)}.`);
  if (!Array.isArray(classes) || !classes.every((name) => typeof name === "string"))
    throw new RootstockError("BAD_CONFIG", `classes requires a list of names, got ${shown(classes)}.`);
  const chosen = level ?? (samples < MANY_IMAGES ? "light" : "medium");
  const many = samples < MANY_IMAGES ? `fewer than ${MANY_IMAGES}` : `${MANY_IMAGES} or more`;
  const why = level === undefined ? `${samples} training images, ${many}` : "asked for";
  const start = `Augmentation is ${chosen}: ${why}.`;
  if (chosen === "none") return { augmentation: { version: 1, transforms: [] }, level: chosen, reasons: [start] };
  const { transforms, reasons } = task === "regression" ? forValues(chosen) : forClasses(chosen, task, classes);
  return { augmentation: { version: 1, transforms }, level: chosen, reasons: [start, ...reasons] };
}

/** An augmentation in use: `level` is undefined for one that a user wrote. */
export type ChosenAugmentation = Omit<AugmentationPreset, "level"> & { readonly level: AugmentationLevel | undefined };

/** What a user may ask for: a level, or transforms as a record or a list. */
export type AskedAugmentation = AugmentationLevel | Augmentation | readonly TransformSpec[];

/**
 * Returns what a user asked for, a level or a list of transforms, or else the preset for the data.
 * @throws RootstockError BAD_CONFIG for another word, or transforms that cannot be.
 */
export function chooseAugmentation(
  asked: AskedAugmentation | undefined,
  data: Omit<AugmentationPresetOptions, "level">,
): ChosenAugmentation {
  if (asked === undefined || AUGMENTATION_LEVELS.some((level) => level === asked))
    return augmentationPreset({ ...data, level: AUGMENTATION_LEVELS.find((level) => level === asked) });
  if (typeof asked !== "object" || asked === null)
    throw new RootstockError(
      "BAD_CONFIG",
      `augmentation requires ${AUGMENTATION_LEVELS.join(", ")} or a list of transforms, got ${shown(asked)}.${didYouMean(asked, AUGMENTATION_LEVELS)}`,
    );
  const augmentation = parseAugmentation(asked);
  const names = augmentation.transforms.map(({ name }) => name).join(", ");
  return { augmentation, level: undefined, reasons: [`Augmentation: ${names || "none"}.`] };
}

interface Decided {
  readonly transforms: readonly TransformSpec[];
  readonly reasons: readonly string[];
}

type ActiveLevel = Exclude<AugmentationLevel, "none">;

function forClasses(level: ActiveLevel, task: "single-label" | "multi-label", classes: readonly string[]): Decided {
  const several = task === "multi-label";
  const least = several ? 0.8 : level === "strong" ? 0.35 : 0.5;
  const flip = mirrorable(classes);
  const erased = level === "strong" ? 0.25 : 0.1;
  const transforms: TransformSpec[] = [
    { name: "random-resized-crop", scale: [least, 1] },
    ...(flip.mirrorable ? [{ name: "horizontal-flip", probability: 0.5 } as const] : []),
    { name: "rotate", degrees: [-10, 10], fill: "reflect" },
    jitter(level),
    ...policy(level, true),
    ...(level === "light" || several ? [] : [{ name: "erasing", probability: erased } as const]),
  ];
  const cropped = several
    ? "Crops keep 80 % of the area or more, and nothing is erased: an image may show several classes, and one that is cut away would still be its target."
    : `Crops keep ${100 * least} % of the area or more: ImageNet's 8 % is for a million images.`;
  return { transforms, reasons: [cropped, flip.reason] };
}

function forValues(level: ActiveLevel): Decided {
  const reason =
    "Colors change, and no pixel moves: a crop, turn, flip or erased part may change a value such as an angle, a place or a count.";
  return { transforms: [jitter(level), ...policy(level, false)], reasons: [reason] };
}

/** RECIPES' light color; the hue is kept nearly as it is, since color often tells classes apart. */
function jitter(level: ActiveLevel): TransformSpec {
  const amount = level === "strong" ? 0.4 : 0.2;
  return { name: "color-jitter", brightness: amount, contrast: amount, saturation: amount, hue: 0.02 };
}

function policy(level: ActiveLevel, geometric: boolean): TransformSpec[] {
  if (level === "light") return [];
  const common = { geometric, fill: "reflect", interpolation: "bilinear" } as const;
  return level === "medium"
    ? [{ name: "trivial-augment", ...common }]
    : [{ name: "rand-augment", operations: 2, magnitude: 9, ...common }];
}
