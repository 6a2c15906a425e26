/** A recipe in one line for people: what trains with what. */
import { LOSSES } from "../losses/table.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import type { Recipe } from "./recipe.ts";

/**
 * Returns what a run trains with: the optimizer, its rates and all else that is not off, as far as it is known before it
 * starts. Options are named and written as on the command line.
 */
export function describeRecipe(recipe: Recipe): string {
  const { phases, batchSize, microBatch, epochs, seed } = recipe;
  if (phases.length === 0) return "the probe alone, solved to its end: nothing trains in steps";
  const parts = [
    `${phases.join(", then ")}: ${optimizerOf(recipe)}`,
    rateOf(recipe),
    recipe.weightDecay > 0 ? `weight decay ${short(recipe.weightDecay)}` : "no weight decay",
    `batch size ${batchSize}${microBatch > 0 ? ` in parts of ${microBatch}` : ""}`,
    `up to ${epochs} ${epochs === 1 ? "epoch" : "epochs"}${phases.length > 1 ? " each" : ""}`,
    patienceOf(recipe),
    lossOf(recipe),
    ...extrasOf(recipe),
    `seed ${seed}`,
  ];
  return parts.join(", ");
}

/** "sgd (momentum 0.9)": weight decay stands apart, and what is off or too small to matter is left out. */
function optimizerOf({ optimizer, optimizerOptions }: Recipe): string {
  const { options } = OPTIMIZERS[optimizer].create(optimizerOptions);
  return named(optimizer, options, ["weightDecay", ...("epsilon" in optimizerOptions ? [] : ["epsilon"])]);
}

function rateOf({ learningRate, findLearningRate, schedule, scheduleOptions, warmup }: Recipe): string {
  const rate = findLearningRate
    ? `learning rate of a search, or ${short(learningRate)} where it finds none`
    : `learning rate ${short(learningRate)}`;
  const rises = warmup > 0 && schedule !== "one-cycle"; // which rises by itself
  const rest = rises ? [`warm-up of up to ${short(100 * warmup)} %`] : [];
  return `${rate}, ${named(schedule, scheduleOptions)}${rest.map((words) => ` with a ${words}`).join("")}`;
}

function patienceOf({ monitor: { measure, mode }, patience, minDelta }: Recipe): string {
  const better = mode === "min" ? "smaller" : "larger";
  const change = minDelta > 0 ? ` by ${short(minDelta)}` : "";
  return `at most ${patience} without a validation ${measure} that is ${better}${change}`;
}

function lossOf({ loss, lossOptions, labelSmoothing, classWeights }: Recipe): string {
  const { options } = LOSSES[loss](lossOptions);
  const smoothed = labelSmoothing > 0 && !("labelSmoothing" in lossOptions);
  const weights = typeof classWeights === "string" ? classWeights : list(classWeights);
  const further = { ...options, ...(smoothed && { labelSmoothing }) };
  return `${named(loss, further, ["soft"])}${weights === "none" ? "" : ` with class weights ${weights}`}`;
}

/** All that is off by default. */
function extrasOf(recipe: Recipe): string[] {
  const { headRate, layerDecay, clipNorm, startPenalty, averageDecay, soup, mixup, cutMix } = recipe;
  const { batchNorm, keepHead, autotune } = recipe;
  const extras: readonly (readonly [words: string, on: boolean])[] = [
    [`head rate ${short(headRate)}`, headRate !== 1],
    [`layer decay ${short(layerDecay)}`, layerDecay !== 1],
    [`clip norm ${short(clipNorm)}`, clipNorm > 0],
    [`start penalty ${short(startPenalty)}`, startPenalty > 0],
    [`average decay ${short(averageDecay)}`, averageDecay > 0],
    [`soup of ${soup}`, soup > 1],
    [`mixup ${short(mixup)}`, mixup > 0],
    [`CutMix ${short(cutMix)}`, cutMix > 0],
    [`batch norm ${batchNorm}`, batchNorm !== "freeze"],
    ["autotune", autotune],
    ["without the probe as epoch 0", !keepHead],
  ];
  return extras.flatMap(([words, on]) => (on ? [words] : []));
}

/** A name with the options that are on: "sgd (momentum 0.9, nesterov)". */
function named(name: string, options: Readonly<Record<string, unknown>>, hidden: readonly string[] = []): string {
  const shown = Object.entries(options).flatMap(([key, value]) => {
    if (hidden.includes(key) || value === undefined || value === false || value === 0) return [];
    if (value === true) return [words(key)];
    return [
      `${words(key)} ${Array.isArray(value) ? list(value) : typeof value === "number" ? short(value) : String(value)}`,
    ];
  });
  return shown.length === 0 ? name : `${name} (${shown.join(", ")})`;
}

/** "label smoothing" for labelSmoothing. */
function words(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function list(values: readonly unknown[]): string {
  const shown = values.slice(0, 8).map((value) => (typeof value === "number" ? short(value) : String(value)));
  return values.length > 8 ? `${shown.join("|")}|… (${values.length})` : shown.join("|");
}

/** At most four digits: 0.002, 1e-5. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
