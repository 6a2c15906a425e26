/** A dataset as batches of images and targets: what Keras's `flow_from_directory` and PyTorch's `DataLoader` give. */
import { RootstockError } from "../errors.ts";
import { rng, shuffle } from "../random.ts";
import { checkChoice, checkKeys } from "../transforms/known-options.ts";
import { asPixels, type Preprocessing, preprocessingSchema } from "../transforms/preprocessing.ts";
import { type AskedAugmentation, chooseAugmentation } from "../transforms/presets.ts";
import type { Augmentation } from "../transforms/transform.ts";
import { checkTargetMode, defaultTargetMode, type TargetMode, type Targets, targetsOf } from "./batch-targets.ts";
import { ImageLoader, suggestThreads } from "./loader.ts";
import { bySplit, type Dataset, type Sample, type Split, sourceOf } from "./sample.ts";

export interface DataLoaderOptions {
  /** Which samples. @default "train" */
  readonly split?: Split | undefined;
  /** Height and width of the images in pixels; they are stretched to it. @default [224, 224] */
  readonly inputSize?: readonly [height: number, width: number] | undefined;
  /** How pixels are made from their neighbours. @default "bilinear" */
  readonly interpolation?: Preprocessing["interpolation"] | undefined;
  /** Order of the images' axes: [n, channels, h, w] or [n, h, w, channels]. @default "NCHW" */
  readonly layout?: Preprocessing["layout"] | undefined;
  /**
   * Everything about the images, instead of the three options above: what a model's record says, say.
   * @default pixels divided by 255
   */
  readonly preprocessing?: Preprocessing | undefined;
  /** Three channels, or one: luma as in ITU-R BT.601, with the first `mean` and `std`. @default "rgb" */
  readonly colorMode?: "rgb" | "grayscale" | undefined;
  /**
   * How images are varied: "light", "medium", "strong", or transforms as a record or a list; with "none" they are clean.
   * Epoch e shows view e of each. For the training split only. @default "none"
   */
  readonly augmentation?: AskedAugmentation | undefined;
  /** Images in a batch, 1 to 65536. @default 32 */
  readonly batchSize?: number | undefined;
  /** Whether each epoch has a random order of its own. @default true for the training split, false for others */
  readonly shuffle?: boolean | undefined;
  /** Decides the order and the augmentation. @default 0 */
  readonly seed?: number | undefined;
  /** Leaves out the smaller batch at the end of an epoch. @default false */
  readonly dropLast?: boolean | undefined;
  /** How the targets are written. @default what fits the task: sparse, multi-hot or raw */
  readonly targets?: TargetMode | undefined;
  /** The last epoch to give, from 1. @default 1 */
  readonly epochs?: number | undefined;
  /** Where to begin: the `position` of the last batch that was used. @default { epoch: 1, batch: 0 } */
  readonly start?: LoaderPosition | undefined;
  /** Leaves out files that cannot be read, instead of ending with an error: their batches are smaller. @default false */
  readonly skipUnreadable?: boolean | undefined;
  /** Decoding threads; the batches never depend on them. @default as many as are worth starting */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: Readonly<Record<keyof DataLoaderOptions, true>> = {
  split: true,
  inputSize: true,
  interpolation: true,
  layout: true,
  preprocessing: true,
  colorMode: true,
  augmentation: true,
  batchSize: true,
  shuffle: true,
  seed: true,
  dropLast: true,
  targets: true,
  epochs: true,
  start: true,
  skipUnreadable: true,
  threads: true,
  signal: true,
};

/** The next batch of a loader: JSON-safe. */
export interface LoaderPosition {
  /** From 1. */
  readonly epoch: number;
  /** From 0. */
  readonly batch: number;
}

export interface Batch {
  /** [n, channels, h, w] or [n, h, w, channels], as `shape` says; the caller's own. */
  readonly images: Float32Array;
  readonly shape: readonly [number, number, number, number];
  readonly targets: Targets | undefined;
  /** The samples that the images show, in their order. */
  readonly samples: readonly Sample[];
  /** The epoch that the batch belongs to, from 1. */
  readonly epoch: number;
  /** What comes after this batch: pass it as `start` to go on. */
  readonly position: LoaderPosition;
}

/** Batches of one split; every iteration begins at `start`. */
export interface DataLoader extends AsyncIterable<Batch> {
  readonly batchesPerEpoch: number;
  readonly preprocessing: Preprocessing;
}

/** Most bytes of one batch of images. */
const MAX_BATCH_BYTES = 2 ** 31;

/**
 * Returns the batches of a split: images as a network takes them, with targets, decoded ahead of time by threads.
 * The same seed gives the same batches, whatever the number of threads and wherever an iteration began. Only training
 * images are ever augmented.
 * @throws RootstockError BAD_CONFIG if an option does not exist or cannot be used; while iterating BAD_DATA if a file cannot be read or
 *   has changed, ABORTED through `signal`.
 */
export function dataLoader(dataset: Dataset, options: DataLoaderOptions = {}): DataLoader {
  if (!Array.isArray(dataset?.samples))
    throw new RootstockError("BAD_CONFIG", 'dataLoader requires a dataset, such as await imageFolder("photos").');
  checkKeys("dataLoader", options, OPTIONS);
  const {
    split = "train",
    colorMode = "rgb",
    batchSize = 32,
    dropLast = false,
    targets = defaultTargetMode(dataset.task),
  } = options;
  const { epochs = 1, start = { epoch: 1, batch: 0 } } = options;
  checkChoice("split", split, ["train", "validation", "test"]);
  checkChoice("colorMode", colorMode, ["rgb", "grayscale"]);
  checkTargetMode(targets, dataset);
  checkWhole("batchSize", batchSize, 1, 65536);
  checkWhole("epochs", epochs, 1, 1e6);
  checkWhole("start.epoch", start.epoch, 1, 1e6);
  const augmentation = augmentationOf(dataset, options);
  if (augmentation && split !== "train") {
    throw new RootstockError(
      "BAD_CONFIG",
      `augmentation requires the split "train", got "${split}": validation and test images are never augmented.`,
    );
  }
  const preprocessing = preprocessingOf(options);
  const [height, width] = preprocessing.inputSize;
  if (batchSize * height * width * 12 > MAX_BATCH_BYTES) {
    throw new RootstockError(
      "BAD_CONFIG",
      `a batch requires at most ${MAX_BATCH_BYTES / 2 ** 30} GiB, got ${batchSize} images of ${width}x${height}. Use a smaller batchSize.`,
    );
  }
  const samples = bySplit(dataset, split);
  const batchesPerEpoch = dropLast ? Math.floor(samples.length / batchSize) : Math.ceil(samples.length / batchSize);
  checkWhole("start.batch", start.batch, 0, batchesPerEpoch);
  const made = { samples, preprocessing, batchSize, batchesPerEpoch, epochs, start, targets, augmentation };
  return {
    batchesPerEpoch,
    preprocessing,
    [Symbol.asyncIterator]: () => iterate(made, options, dataset.classes.length),
  };
}

interface Plan {
  readonly samples: readonly Sample[];
  readonly preprocessing: Preprocessing;
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  readonly epochs: number;
  readonly start: LoaderPosition;
  readonly targets: TargetMode;
  readonly augmentation: Augmentation | undefined;
}

/** What was asked for, undefined where it changes nothing. */
function augmentationOf(dataset: Dataset, { augmentation = "none" }: DataLoaderOptions): Augmentation | undefined {
  const { classes, task } = dataset;
  const chosen = chooseAugmentation(augmentation, { samples: bySplit(dataset, "train").length, classes, task });
  return chosen.augmentation.transforms.length > 0 ? chosen.augmentation : undefined;
}

async function* iterate(
  plan: Plan,
  options: DataLoaderOptions,
  classes: number,
): AsyncGenerator<Batch, void, undefined> {
  const { samples, batchSize, batchesPerEpoch, epochs, start, targets } = plan;
  const { threads = suggestThreads(samples.length) } = options;
  const loader = new ImageLoader({ threads });
  try {
    for (let epoch = start.epoch; epoch <= epochs; epoch++) {
      const order = orderOf(plan, options, epoch);
      const first = epoch === start.epoch ? start.batch : 0;
      const rest = order.slice(first * batchSize, batchesPerEpoch * batchSize);
      let batch = first;
      for await (const { images, used } of imagesOf(loader, rest, plan, options, epoch)) {
        batch++;
        const position = batch < batchesPerEpoch ? { epoch, batch } : { epoch: epoch + 1, batch: 0 };
        if (used.length === 0) continue; // no file of it could be read
        const shape = shapeOf(used.length, plan, options);
        yield { images, shape, targets: targetsOf(used, targets, classes), samples: used, epoch, position };
      }
    }
  } finally {
    await loader.close();
  }
}

/** The samples in the order of an epoch, which depends on the seed and the epoch alone. */
function orderOf({ samples }: Plan, { split = "train", shuffle: mixed, seed = 0 }: DataLoaderOptions, epoch: number) {
  const order = [...samples];
  return (mixed ?? split === "train") ? shuffle(order, rng(seed).fork("order").fork(`epoch ${epoch}`)) : order;
}

/** The images of each batch, without those that could not be read. */
async function* imagesOf(
  loader: ImageLoader,
  samples: readonly Sample[],
  { preprocessing, batchSize, augmentation }: Plan,
  { colorMode = "rgb", seed = 0, skipUnreadable = false, signal }: DataLoaderOptions,
  epoch: number,
): AsyncGenerator<{ readonly images: Float32Array; readonly used: readonly Sample[] }, void, undefined> {
  const [height, width] = preprocessing.inputSize;
  const gray = colorMode === "grayscale";
  const size = (gray ? 1 : 3) * height * width;
  const files = samples.map(sourceOf);
  const hashes = samples.map(({ sha256 }) => sha256);
  const views = augmentation && { augmentation, seed, views: samples.map(() => [epoch]) };
  let images = new Float32Array(Math.min(batchSize, samples.length) * size);
  let used: Sample[] = [];
  const loaded = loader.load(files, gray ? asPixels(preprocessing) : preprocessing, signal, hashes, views);
  for await (const result of loaded) {
    const sample = samples[result.index]!;
    if ("error" in result) {
      if (!skipUnreadable) throw unreadable(sample, result.error);
    } else {
      const to = images.subarray(used.length * size, (used.length + 1) * size);
      if (gray) toGray(result.pixels, preprocessing, to);
      else to.set(result.pixels);
      used.push(sample);
    }
    const next = result.index + 1;
    if (next % batchSize !== 0 && next < samples.length) continue;
    yield { images: used.length * size === images.length ? images : images.slice(0, used.length * size), used };
    images = new Float32Array(Math.min(batchSize, samples.length - next) * size);
    used = [];
  }
}

function shapeOf(n: number, { preprocessing }: Plan, { colorMode = "rgb" }: DataLoaderOptions): Batch["shape"] {
  const [height, width] = preprocessing.inputSize;
  const channels = colorMode === "rgb" ? 3 : 1;
  return preprocessing.layout === "NCHW" ? [n, channels, height, width] : [n, height, width, channels];
}

function preprocessingOf(options: DataLoaderOptions): Preprocessing {
  const { preprocessing, inputSize = [224, 224], interpolation = "bilinear", layout = "NCHW" } = options;
  if (preprocessing && (options.inputSize ?? options.interpolation ?? options.layout) !== undefined) {
    throw new RootstockError(
      "BAD_CONFIG",
      "dataLoader requires either preprocessing or inputSize, interpolation and layout, got both. Change the preprocessing.",
    );
  }
  const unit: Preprocessing = {
    version: 1,
    inputSize,
    resize: { kind: "stretch" },
    interpolation,
    channels: "RGB",
    layout,
    scale: 1 / 255,
    offset: 0,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  };
  const parsed = preprocessingSchema.safeParse(preprocessing ?? unit);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new RootstockError("BAD_CONFIG", `dataLoader cannot make images so: ${where.join("; ")}.`);
}

/** Luma of RGB pixels, [h, w, 3] in 0 to 255, as Pillow's `convert("L")` rounds it, then the values of one channel. */
function toGray(pixels: Float32Array, preprocessing: Preprocessing, out: Float32Array): void {
  const { scale, offset, mean, std } = preprocessing;
  for (let i = 0; i < out.length; i++) {
    const luma = pixels[i * 3]! * 19595 + pixels[i * 3 + 1]! * 38470 + pixels[i * 3 + 2]! * 7471;
    out[i] = (Math.floor((luma + 32768) / 65536) * scale + offset - mean[0]) / std[0];
  }
}

function unreadable({ file }: Sample, error: string): RootstockError {
  return new RootstockError("BAD_DATA", `${file} ${error}. Remove it, or pass skipUnreadable to leave it out.`);
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RootstockError("BAD_CONFIG", `${name} requires a whole number from ${least} to ${most}, got ${value}.`);
}
