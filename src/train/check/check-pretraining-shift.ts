/** How far a dataset is from what a network was pretrained on, and whether another preprocessing would bring it nearer. */
import type { Sample } from "../../data/sample.ts";
import { type ExtractOptions, extractFeatures, rowWidth } from "../../features/extract.ts";
import { momentsGraph } from "../../features/shift/activation-moments.ts";
import {
  type ConfidenceShift,
  confidenceShift,
  type NormalizationShift,
  normalizationShift,
} from "../../features/shift/pretraining-shift.ts";
import type { Graph } from "../../graph/graph.ts";
import { inferTypes } from "../../graph/infer-types.ts";
import { backboneGraph, type Cut } from "../../models/backbone.ts";
import type { Model } from "../../models/model.ts";
import { NAMED_PREPROCESSING } from "../../models/preprocessing.ts";
import type { Preprocessing } from "../../transforms/preprocessing.ts";
import { type FeatureCheck, type FeatureFinding, type Measured, reported, untold } from "./feature-finding.ts";

/**
 * Distances beyond which images are unlike those of pretraining. Measured with four networks: 13 sets of photographs
 * have 0.08 to 0.28, a driving simulator 0.24 to 0.32, hand signs, blood cells, noise and dark photographs 0.3 to 0.85, and
 * photographs in a wrong scale of the pixels 0.2 to 150: those near 0.2 show in the contrast.
 */
const DISTANCE = 0.3;
/** Contrast of the input as a part of that of pretraining: photographs have 0.5 to 1.2. */
const CONTRAST = [0.4, 2.5] as const;
/** How near another preprocessing must bring the images, and how much nearer, to be worth a mention. */
const FITS = { contrast: [0.5, 2], distance: DISTANCE, nearer: 0.85 } as const;

/** Kinds of images that a classifier of many classes tells apart: photographs 2.4 to 28, other pictures 1 to 2. */
const DIVERSITY = 2.3;
/** Of one kind of thing that it knows, a classifier is surer than this. */
const SURE = 0.55;
/** Mean probability of the most probable class: photographs have 0.23 to 0.7. */
const CONFIDENCE = 0.2;
/** Deviation of logits over classes: trained classifiers have 1 to 8, images in a wrong scale 37 to 540. */
const SPREAD = 15;
/** With fewer classes the scores of anything are as sure as those of a photograph. */
const FEWEST_CLASSES = 100;

/** Images that are looked at: as many as fit into so many bytes of activations' moments. */
const MOST_IMAGES = 64;
const FEWEST_IMAGES = 24;
const MOST_BYTES = 32e6;
/** Images that each other preprocessing is tried on. */
const TRIED_IMAGES = 24;
/** Images that are named. */
const EXAMPLES = 10;

export interface PretrainingData {
  readonly model: Model;
  readonly cut: Cut;
  readonly samples: readonly Sample[];
  readonly options: ExtractOptions;
}

/**
 * Measures by the running statistics of BatchNormalization where the network has them, else by the scores of its old
 * classifier where that has 100 classes and more; else it cannot be told. The files that are farthest are named.
 */
export async function checkPretrainingShift(given: PretrainingData): Promise<FeatureCheck> {
  const { model, cut } = given;
  const moments = momentsGraph(backboneGraph(model.graph, cut));
  if (moments) {
    const width = rowWidth(moments.graph);
    const count = Math.max(FEWEST_IMAGES, Math.min(MOST_IMAGES, Math.floor(MOST_BYTES / (4 * width))));
    const measure = async (samples: readonly Sample[], options: ExtractOptions) => {
      const set = await extractFeatures(moments.graph, samples, options);
      return { result: normalizationShift(set.features, moments.layers), samples: set.samples };
    };
    return await byNormalization({ ...given, samples: evenly(given.samples, count) }, measure);
  }
  const classes = cut.numClasses ?? 0;
  const scores = scoresGraph(model, classes);
  if (!scores)
    return untold(
      `How far the images are from those of pretraining cannot be told: ${model.name} has neither BatchNormalization with running statistics nor a softmax classifier of ${FEWEST_CLASSES} classes or more.`,
    );
  const measure = async (samples: readonly Sample[], options: ExtractOptions) => {
    const set = await extractFeatures(scores, samples, options);
    return { result: confidenceShift(set.features, classes), samples: set.samples };
  };
  return await byConfidence({ ...given, samples: evenly(given.samples, MOST_IMAGES) }, measure);
}

type Measure<T> = (
  samples: readonly Sample[],
  options: ExtractOptions,
) => Promise<{ readonly result: T | undefined; readonly samples: readonly Sample[] }>;

const TOO_FEW = "How far the images are from those of pretraining cannot be told from fewer than 8 training images.";

async function byNormalization(given: PretrainingData, measure: Measure<NormalizationShift>): Promise<FeatureCheck> {
  const { result, samples } = await measure(given.samples, given.options);
  if (!result) return untold(TOO_FEW);
  const { distance, contrast, meanDifference, varianceRatio } = result;
  const measured: Measured[] = [
    { name: "distance from pretraining, in deviations, median of layers", value: distance, threshold: DISTANCE },
    {
      name: "contrast of the input as a part of that of pretraining",
      value: contrast,
      threshold: contrast < 1 ? CONTRAST[0] : CONTRAST[1],
    },
    { name: "difference of means in deviations, median of layers", value: meanDifference },
    { name: "ratio of variances, median of layers", value: varianceRatio },
  ];
  const otherContrast = !isWithin(contrast, CONTRAST);
  if (distance <= DISTANCE && !otherContrast) return { findings: [], measured, untold: [] };
  const fitting = await fittingPreprocessings(given, measure, (other) =>
    isWithin(other.contrast, FITS.contrast) && other.distance <= Math.min(FITS.distance, FITS.nearer * distance)
      ? -other.distance
      : undefined,
  );
  const seen = otherContrast
    ? `what reaches the first layer varies ${contrast.toPrecision(2)} times as much as there`
    : `its layers see values ${distance.toFixed(2)} deviations away from those there (median; up to ${DISTANCE} for photographs)`;
  const finding = findingOf(
    `The images are unlike those that ${given.model.name} was pretrained on: ${seen}.`,
    fitting,
    {
      given,
      advice:
        "Where they look as you mean them to, adapt more of the network: --batch-norm adapt, and --unfreeze more stages. Else",
    },
  );
  return {
    findings: [{ ...finding, measured, files: farthest(samples, result.perImage, "away") }],
    measured,
    untold: [],
  };
}

async function byConfidence(given: PretrainingData, measure: Measure<ConfidenceShift>): Promise<FeatureCheck> {
  const { result, samples } = await measure(given.samples, given.options);
  if (!result) return untold(TOO_FEW);
  const { confidence, diversity, spread } = result;
  const measured: Measured[] = [
    { name: "kinds of images that the old classifier tells apart", value: diversity, threshold: DIVERSITY },
    { name: "mean probability of its most probable class", value: confidence, threshold: CONFIDENCE },
    ...(spread === undefined
      ? []
      : [{ name: "deviation of its logits over classes", value: spread, threshold: SPREAD }]),
  ];
  const quiet: FeatureCheck = { findings: [], measured, untold: [] };
  const tooLarge = (spread ?? 0) > SPREAD;
  const alike = diversity < DIVERSITY;
  if (!tooLarge && !alike && confidence >= CONFIDENCE) return quiet;
  const fitting = await fittingPreprocessings(given, measure, (other) =>
    (other.spread ?? 0) <= SPREAD && other.diversity >= (tooLarge ? DIVERSITY : Math.max(DIVERSITY, 2 * diversity))
      ? other.diversity
      : undefined,
  );
  // Images of one kind of thing that the network knows well are all alike, and nothing is wrong.
  if (!tooLarge && confidence >= SURE && fitting.length === 0) return quiet;
  const seen = tooLarge
    ? `its old classifier gives scores that deviate by ${spread!.toFixed(0)} over the classes (up to 8 for photographs)`
    : alike
      ? `its old classifier tells only ${diversity.toFixed(1)} kinds of them apart, and is ${percentSure(confidence)} sure`
      : `its old classifier is only ${percentSure(confidence)} sure of its best guess`;
  const finding = findingOf(
    `The images are unlike those that ${given.model.name} was pretrained on: ${seen}.`,
    fitting,
    {
      given,
      advice: "Where they look as you mean them to, adapt more of the network: --unfreeze more stages. Else",
    },
  );
  const distance = result.perImage.map((sure) => 1 - sure);
  return { findings: [{ ...finding, measured, files: farthest(samples, distance, "unsure") }], measured, untold: [] };
}

function percentSure(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

type Candidate = keyof typeof NAMED_PREPROCESSING;

/** The named preprocessings, other than the given one, that give a rank, the highest first. */
async function fittingPreprocessings<T>(
  { samples, options }: PretrainingData,
  measure: Measure<T>,
  rank: (result: T) => number | undefined,
): Promise<Candidate[]> {
  const few = evenly(samples, TRIED_IMAGES);
  const ranked: { readonly name: Candidate; readonly rank: number }[] = [];
  for (const name of Object.keys(NAMED_PREPROCESSING) as Candidate[]) {
    const { layout } = options.preprocessing;
    const preprocessing: Preprocessing = { ...options.preprocessing, ...NAMED_PREPROCESSING[name].values, layout };
    if (sameValues(preprocessing, options.preprocessing)) continue;
    const { result } = await measure(few, { ...options, preprocessing, cache: false, onProgress: undefined }).catch(
      (error: unknown) => {
        if (options.signal?.aborted) throw error;
        return { result: undefined }; // values out of the range of numbers: it does not fit
      },
    );
    const value = result && rank(result);
    if (value !== undefined) ranked.push({ name, rank: value });
  }
  return ranked.sort((a, b) => b.rank - a.rank).map(({ name }) => name);
}

function sameValues(a: Preprocessing, b: Preprocessing): boolean {
  const values = ({ channels, scale, offset, mean, std }: Preprocessing): string =>
    [
      channels,
      ...[0, 255].flatMap((pixel) => mean.map((m, c) => ((pixel * scale + offset - m) / std[c]!).toFixed(3))),
    ].join();
  return values(a) === values(b);
}

function findingOf(
  message: string,
  fitting: readonly Candidate[],
  { given, advice }: { readonly given: PretrainingData; readonly advice: string },
): Omit<FeatureFinding, "measured" | "files"> {
  const source = given.model.preprocessingSource;
  const names = fitting.map((name) => `--preprocessing ${name}`).join(" or ");
  return {
    kind: "pretraining-shift",
    severity: "warning",
    message:
      fitting.length > 0
        ? `${message} With ${names} they would not be: the preprocessing (from ${source}) is likely to be wrong.`
        : message,
    advice:
      fitting.length > 0
        ? `Try ${names}, or look up what the weights were trained with: scale of the pixels, mean and std.`
        : `${advice} check the scale of the pixels, mean, std and order of channels that the weights were trained with (here from ${source}).`,
  };
}

function farthest(samples: readonly Sample[], distance: Float64Array, word: string): FeatureFinding["files"] {
  return [...samples.keys()]
    .sort((a, b) => distance[b]! - distance[a]! || a - b)
    .slice(0, EXAMPLES)
    .map((i) => reported(samples[i]!, `${word} ${distance[i]!.toFixed(2)}`));
}

/** The scores of the old classifier, [n, classes], of a model that is known to have one. */
function scoresGraph({ graph, activation }: Model, classes: number): Graph | undefined {
  const output = graph.outputs.find(({ name, shape }) => {
    const sizes = inferTypes(graph).get(name)?.shape ?? shape;
    return sizes?.length === 2 && sizes[1] === classes;
  });
  if (!output || classes < FEWEST_CLASSES || activation !== "softmax") return undefined;
  return { ...graph, outputs: [{ ...output, shape: [output.shape?.[0] ?? "batch", classes] }] };
}

/** At most `count` samples, spread evenly. */
function evenly(samples: readonly Sample[], count: number): readonly Sample[] {
  if (samples.length <= count) return samples;
  return Array.from({ length: count }, (_, i) => samples[Math.floor((i * samples.length) / count)]!);
}

function isWithin(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= low && value <= high;
}
