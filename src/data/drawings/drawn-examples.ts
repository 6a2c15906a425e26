/** Many labelled drawings: which ones a set has, and the set in memory. */
import { RootstockError } from "../../errors.ts";
import { checkKeys } from "../../transforms/known-options.ts";
import { mapBounded } from "../bounded.ts";
import type { InMemoryImage } from "../in-memory.ts";
import { DRAWN_CLASSES, type DrawnClass } from "./class-forms.ts";
import { checkSize, checkWhole, DRAWING_SIZE, drawExample } from "./draw.ts";

/** The most images of one class and split. */
const MAX_PER_CLASS = 100_000;

/** The most pixels of a set in memory: of JPEG files at most about 700 MB. */
const MAX_HELD_PIXELS = 2 ** 31;

/** Drawings under way at once: the rasteriser works in the threads of Node.js, four unless it was told otherwise. */
export const DRAWN_AT_A_TIME = 4;

/** Which labelled drawings a set has. */
export interface ExampleOptions {
  /** Training images of each class, 1 to 100,000. */
  readonly perClass: number;
  /** Validation images of each class; with them in a folder, train/ and val/ stand above the classes. @default 0 */
  readonly validationPerClass?: number | undefined;
  /** A whole number. @default 0 */
  readonly seed?: number | undefined;
  /** Width and height in pixels, 16 to 1024; 160 unless given. @default DRAWING_SIZE */
  readonly size?: number | undefined;
  /** Stops between two drawings. */
  readonly signal?: AbortSignal | undefined;
}

const KEYS: Readonly<Record<keyof ExampleOptions, true>> = {
  perClass: true,
  validationPerClass: true,
  seed: true,
  size: true,
  signal: true,
};

/** One drawing of a set. */
export interface PlannedExample {
  readonly className: DrawnClass;
  readonly index: number;
  readonly split: "train" | "validation";
  /** Such as train/star/star-00017, or star/star-00017 in a set without validation images. */
  readonly path: string;
}

/** A set of labelled drawings before any is drawn. */
export interface ExamplePlan {
  /** Class by class, the training images of each first. */
  readonly examples: readonly PlannedExample[];
  /** Everything that decides the bytes. */
  readonly record: Readonly<Record<"perClass" | "validationPerClass" | "seed" | "size", number>> & {
    readonly classes: readonly DrawnClass[];
  };
  readonly signal: AbortSignal | undefined;
}

/**
 * Returns which drawings the options ask for.
 * @param what Whose options they are, for messages.
 * @throws RootstockError BAD_CONFIG
 */
export function planExamples(what: string, options: ExampleOptions): ExamplePlan {
  checkKeys(what, options, KEYS);
  const { perClass, validationPerClass = 0, seed = 0, size = DRAWING_SIZE, signal } = options;
  checkWhole("perClass", perClass, [1, MAX_PER_CLASS]);
  checkWhole("validationPerClass", validationPerClass, [0, MAX_PER_CLASS]);
  checkWhole("seed", seed, [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
  checkSize(size);
  const examples = DRAWN_CLASSES.flatMap((className) =>
    Array.from({ length: perClass + validationPerClass }, (_, index): PlannedExample => {
      const split = index < perClass ? "train" : "validation";
      const above = validationPerClass === 0 ? "" : split === "train" ? "train/" : "val/";
      const path = `${above}${className}/${className}-${String(index).padStart(5, "0")}`;
      return { className, index, split, path };
    }),
  );
  return { examples, record: { classes: DRAWN_CLASSES, perClass, validationPerClass, seed, size }, signal };
}

/**
 * Draws labelled images in memory, as `inMemoryDataset` takes them: the same pictures that `writeDrawings` writes.
 * @throws RootstockError BAD_CONFIG, also for more than 2^31 pixels together, 13,000 images of 160 for each class; ABORTED.
 */
export async function drawnExamples(options: ExampleOptions): Promise<readonly InMemoryImage[]> {
  const { examples, record, signal } = planExamples("drawnExamples", options);
  checkHeld("drawnExamples", examples.length, record.size);
  return await mapBounded(examples, DRAWN_AT_A_TIME, async ({ className, index, split, path }) => {
    checkStopped(signal);
    const image = await drawExample(record.seed, className, index, record.size);
    return { image, name: `${path}.jpg`, label: className, split };
  });
}

/** @throws RootstockError BAD_CONFIG for more pictures than are kept in memory. */
export function checkHeld(what: string, count: number, size: number): void {
  if (count * size * size <= MAX_HELD_PIXELS) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `${what} requires at most ${MAX_HELD_PIXELS} pixels together, got ${count} pictures of ${size} x ${size}. Draw fewer or smaller ones.`,
  );
}

/** @throws RootstockError ABORTED if the signal says so. */
export function checkStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new RootstockError("ABORTED", "drawing was stopped. The same call draws the same pictures.");
}
