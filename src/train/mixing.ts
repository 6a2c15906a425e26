/** Mixup and CutMix in the training loop: from a batch to one of the same size whose samples are shares of two. */
import { RootstockError } from "../errors.ts";
import { softTargets } from "../losses/soft-targets.ts";
import { countTargets, type Targets } from "../losses/targets.ts";
import type { Rng } from "../random.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { cutMix, mixup } from "../transforms/mix.ts";
import { happens } from "../transforms/pixels/chance.ts";

export interface BatchMixerOptions {
  /** Alpha of mixup's Beta(alpha, alpha): samples are blended in pairs; 0 for none. @default 0 */
  readonly mixup?: number | undefined;
  /**
   * Alpha of CutMix: samples get a rectangle of another; 0 for none. With mixup too, each batch gets one of the two, by even
   * chance. @default 0
   */
  readonly cutMix?: number | undefined;
  /** Share of the batches that are mixed, in [0, 1]. @default 1 */
  readonly probability?: number | undefined;
  /** Of one sample: [width] of features, or [channels, h, w] and [h, w, channels] of images and feature maps. */
  readonly sampleShape: readonly number[];
  /** Order of the axes of images. @default "NCHW" */
  readonly layout?: "NCHW" | "NHWC" | undefined;
  readonly numClasses: number;
}

/** Samples with as many rows of targets. */
export interface MixerBatch {
  /** [n, ...] row-major. */
  readonly samples: Float32Array;
  readonly targets: Targets;
}

/**
 * Mixes a batch, as new arrays; a batch that is not mixed keeps its samples. Targets of one label become soft either way.
 * The batch has to be in random order: each sample is mixed with the one before it.
 */
export type Mixer = (samples: Float32Array, targets: Targets, rng: Rng) => MixerBatch;

/**
 * Returns a mixer of mixup, CutMix or, with both, one of them for each batch, as torchvision's RandomChoice of the two.
 *
 * Samples, targets and the weights of rows are mixed by the same share, so a batch weighs what it weighed. Losses of one
 * label need `soft` to read what comes out.
 * @throws RootstockError BAD_CONFIG if an alpha is below 0 or none is above, `probability` is outside [0, 1], or CutMix has no
 * image to cut; the mixer BAD_CONFIG for CutMix of a regression, SHAPE_MISMATCH for samples of another shape.
 */
export function batchMixer(options: BatchMixerOptions): Mixer {
  const { mixup: blend = 0, cutMix: cut = 0, probability = 1, sampleShape, layout = "NCHW", numClasses } = options;
  const alphas = { mixup: blend, cutMix: cut };
  const names = (["mixup", "cutMix"] as const).filter((name) => alphas[name] !== 0);
  if (names.length === 0 || names.some((name) => !(alphas[name] > 0 && Number.isFinite(alphas[name]))))
    throw new RootstockError("BAD_CONFIG", `mixing requires a mixup or cutMix alpha above 0, got ${blend} and ${cut}.`);
  if (!(probability >= 0 && probability <= 1))
    throw new RootstockError("BAD_CONFIG", `mixing requires a probability in [0, 1], got ${probability}.`);
  if (cut > 0 && sampleShape.length !== 3)
    throw new RootstockError(
      "BAD_CONFIG",
      `cutMix requires images or feature maps of 3 dimensions, got samples [${sampleShape.join(", ")}]. Use mixup.`,
    );
  const [first = 0, second = 0, third = 0] = sampleShape;
  const size = layout === "NCHW" ? ([second, third] as const) : ([first, second] as const);
  const rowLength = sizeOf(sampleShape);

  return (samples, targets, rng) => {
    if (cut > 0 && targets.task === "regression")
      throw new RootstockError("BAD_CONFIG", "cutMix requires classes, got a regression. Use mixup.");
    const count = countTargets(targets);
    if (samples.length !== count * rowLength)
      throw new RootstockError(
        "SHAPE_MISMATCH",
        `mixing requires ${count} samples [${sampleShape.join(", ")}], got ${samples.length} numbers.`,
      );
    const soft = targets.task === "single-label" ? softTargets(targets, numClasses) : targets;
    if (!happens(probability, rng)) return { samples, targets: soft };
    const name = names.length === 2 && rng.next() >= 0.5 ? "cutMix" : names[0]!;
    const batch = { count, inputs: samples, targets: soft.values };
    const mixed =
      name === "mixup" ? mixup(batch, { alpha: blend }, rng) : cutMix(batch, { alpha: cut, size, layout }, rng);
    return { samples: mixed.inputs, targets: { ...soft, values: mixed.targets, ...weightsOf(soft, mixed.lambda) } };
  };
}

/** Weights of mixed rows: lambda of their own and the rest of the row before. */
function weightsOf({ weights }: Targets, lambda: number): Pick<Targets, "weights"> {
  if (weights === undefined) return {};
  const before = weights.length - 1;
  return { weights: weights.map((own, i) => lambda * own + (1 - lambda) * weights[(i + before) % weights.length]!) };
}
