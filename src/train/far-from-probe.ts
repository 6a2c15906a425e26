/** Tells where training that may not fall back to the probe has ended far from it. */
import { memoryRows } from "../features/rows.ts";
import { LOSSES } from "../losses/table.ts";
import { countTargets } from "../losses/targets.ts";
import { logitsGraph } from "../models/head.ts";
import type { Seedling } from "./grow.ts";
import { epochMeasures } from "./measure.ts";
import type { Recipe } from "./recipe.ts";
import type { PhaseOutcome } from "./run-checkpoints.ts";
import { GraphScorer, scoreRows } from "./score.ts";
import { onScale } from "./train-head.ts";
import { featuresGraph } from "./unfreeze-network.ts";

/** How many times the probe's validation loss is far from it. */
const FAR = 10;

/** Losses below this are all good: a probe may have one of next to nothing. */
const GOOD = 0.01;

/**
 * Returns a warning where the last phase of a run without `keepHead` has ended with a validation loss of more than ten
 * times the probe's, or with none that is a number; undefined where all is well, or the probe is what it falls back to.
 */
export async function farFromProbe(
  seedling: Seedling,
  outcomes: readonly PhaseOutcome[],
  { keepHead, loss, lossOptions }: Pick<Recipe, "keepHead" | "loss" | "lossOptions">,
): Promise<string | undefined> {
  const last = outcomes.at(-1);
  const best = last?.history.find(({ epoch }) => epoch === last.bestEpoch);
  if (keepHead || !last || !best) return undefined;
  const reached = best.validation["loss"] ?? Number.NaN;
  const { backbone, head, scale, features, data } = seedling;
  const validation = features.split("validation");
  await using scorer = await GraphScorer.create(logitsGraph(featuresGraph(backbone), head), { threads: 1 });
  const width = validation.features.length / countTargets(validation.targets);
  const outputs = await scoreRows(scorer, memoryRows(onScale(validation, scale).features, width));
  const measures = await epochMeasures(outputs, {
    targets: validation.targets,
    classes: data.classes,
    loss: LOSSES[loss](lossOptions),
    scale: scale.targets,
  });
  const probe = measures["loss"]!;
  if (reached <= FAR * Math.max(probe, GOOD)) return undefined;
  const short = (value: number): string => String(Number(value.toPrecision(3)));
  return (
    `the validation loss of phase ${last.phase} is ${short(reached)} in its best epoch, and that of the probe ${short(probe)}: ` +
    "what was trained is far worse, and keepHead is off, so the probe is not what is kept. Use a smaller learning rate, or turn keepHead on."
  );
}
