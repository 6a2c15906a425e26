/** How much a student's features are worth on other data: a linear probe on labelled images, as often as it is asked. */
import type { Dataset } from "../../data/sample.ts";
import { memoryRows } from "../../features/rows.ts";
import type { Graph } from "../../graph/graph.ts";
import { DEFAULT_LOSSES, LOSSES } from "../../losses/table.ts";
import { headGraph } from "../../models/head.ts";
import { withConstants } from "../../models/trainable-graph.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import { type DataRowsOptions, networkRows, type SplitRows } from "../data-rows.ts";
import { epochMeasures } from "../measure.ts";
import { trainProbe } from "../probe/probe.ts";
import { GraphScorer, scoreRows } from "../score.ts";
import { measureHeadScale, onScale } from "../train-head.ts";

/** Measures features on one dataset: the graph from the image to features, every weight a constant. */
export type FeatureProbe = (features: Graph) => Promise<Readonly<Record<string, number>>>;

/**
 * Reads the labelled images once, and returns what probes features on them: trained on the training split, with the penalty
 * chosen on validation, and measured there as epochs are. @see trainProbe
 * @throws RootstockError as `networkRows`.
 */
export async function featureProbe(
  data: Dataset,
  options: Omit<DataRowsOptions, "views" | "augmented">,
  session: SessionOptions,
): Promise<FeatureProbe & AsyncDisposable> {
  const rows = await networkRows(undefined, data, options);
  const { task, classes } = data;
  const loss = LOSSES[DEFAULT_LOSSES[task]]();
  const probe: FeatureProbe = async (graph) => {
    await using scorer = await GraphScorer.create(graph, session);
    const featuresOf = async ({ rows: images, targets }: SplitRows) => ({
      features: await scoreRows(scorer, images),
      targets,
    });
    const train = await featuresOf(rows.split("train"));
    const held = await featuresOf(rows.split("validation"));
    const scale = measureHeadScale(train);
    const scaled = onScale(held, scale);
    const { parameters } = await trainProbe({
      train: onScale(train, scale),
      validation: scaled,
      numClasses: classes.length,
      activation: loss.activation,
      deviation: scale.features.deviation,
      signal: options.signal,
    });
    const width = scale.features.mean.length;
    const head = withConstants(headGraph({ width, numClasses: classes.length }), parameters);
    await using heads = await GraphScorer.create(head, { threads: 1 });
    const outputs = await scoreRows(heads, memoryRows(scaled.features, width));
    return await epochMeasures(outputs, { targets: held.targets, classes, loss, scale: scale.targets });
  };
  return Object.assign(probe, { [Symbol.asyncDispose]: () => rows[Symbol.asyncDispose]() });
}
