/** What a teacher gives for every image and for each of its random views: computed once, kept in the feature cache. */
import type { Dataset, Sample } from "../../data/sample.ts";
import { type ExtractOptions, extractFeatures, rowWidth } from "../../features/extract.ts";
import { shownRows } from "../../features/rows.ts";
import { measure, standardize } from "../../features/standardize.ts";
import type { Graph } from "../../graph/graph.ts";
import { teacherTargets } from "../../losses/soft-targets.ts";
import type { ShownTargets, Targets } from "../../losses/targets.ts";
import type { Match } from "./teacher.ts";

/** Images with what the teacher gives for them. */
export interface Lessons {
  /** Those that could be decoded: training images first, then those that are held out. */
  readonly samples: readonly Sample[];
  readonly failed: readonly { readonly sample: Sample; readonly error: string }[];
  /** Numbers per image. */
  readonly width: number;
  /** Indices into `samples`. */
  readonly training: Int32Array;
  readonly held: Int32Array;
  /** Targets of training images, by their place in `training`, as an epoch shows them. */
  readonly targets: ShownTargets;
  /** Of the held-out images, in their order. */
  readonly heldTargets: Targets;
}

/**
 * Asks the teacher about each image once, and about each random view of the training images.
 * @throws RootstockError as `extractFeatures`.
 */
export async function teach(teacher: Graph, data: Dataset, match: Match, options: ExtractOptions): Promise<Lessons> {
  const isTrain = ({ split }: Sample): boolean => split === "train";
  const given = [...data.samples.filter(isTrain), ...data.samples.filter((sample) => !isTrain(sample))];
  const { features, views, samples, failed } = await extractFeatures(teacher, given, options);
  const width = rowWidth(teacher);
  const split = (train: boolean): Int32Array =>
    Int32Array.from(samples.flatMap((sample, i) => (isTrain(sample) === train ? [i] : [])));
  const [training, held] = [split(true), split(false)];
  const table = { values: features, width, views };
  const scale = match === "features" ? measure(features.subarray(0, training.length * width), width) : undefined;
  const targetsOf = (rows: Float32Array): Targets =>
    scale ? { task: "regression", values: standardize(rows, scale), width } : teacherTargets(rows, width);
  return {
    samples,
    failed,
    width,
    training,
    held,
    targets: (rows, epoch) => targetsOf(shownRows(table, rows, epoch)), // training images come first
    heldTargets: targetsOf(shownRows(table, held)),
  };
}
