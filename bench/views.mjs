/**
 * Measures what random views of training images are worth to a frozen network: a few training images of each class, the
 * whole validation split, several seeds; prints a Markdown table. See bench/README.md.
 *
 *   node bench/views.mjs --model <file> --data <folder> [--data <folder>] [--per-class 10,30] [--views 0,8] [--seeds 5]
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { fineTune, imageFolder, loadModel } from "../dist/index.js";

const { values: options } = parseArgs({
  options: {
    model: { type: "string" },
    data: { type: "string", multiple: true },
    "per-class": { type: "string", default: "10,30" },
    views: { type: "string", default: "0,8" },
    level: { type: "string" },
    unfreeze: { type: "string", default: "head" },
    epochs: { type: "string" },
    seeds: { type: "string", default: "5" },
  },
});
const numbers = (text) => text.split(",").map(Number);
/** 97.5 % points of Student's distribution by degrees of freedom. */
const STUDENT = [Number.NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

const model = await loadModel(options.model);
console.log("| data | per class | views | accuracy, % (mean ± 95 % interval) | loss | seeds |");
console.log("|---|--:|--:|--:|--:|---|");
for (const root of options.data) {
  const data = await imageFolder(root);
  for (const count of numbers(options["per-class"])) {
    const some = { ...data, samples: fewOf(data.samples, count) };
    let first;
    for (const views of numbers(options.views)) {
      const results = [];
      for (let seed = 0; seed < Number(options.seeds); seed++) {
        const level = views === 0 ? "none" : options.level;
        const run = await fineTune(model, some, {
          seed,
          unfreeze: options.unfreeze,
          augmentation: level,
          check: false,
          epochs: options.epochs === undefined ? undefined : Number(options.epochs),
          ...(options.unfreeze === "all" ? {} : { views }),
        });
        results.push({ accuracy: 100 * run.metrics.accuracy, loss: run.metrics.loss });
      }
      const accuracies = results.map(({ accuracy }) => accuracy);
      const losses = results.map(({ loss }) => loss);
      first ??= accuracies;
      const gain = accuracies.map((accuracy, i) => accuracy - first[i]);
      const change = views === 0 ? "" : `; ${mean(gain) < 0 ? "" : "+"}${show(gain)} over none`;
      const each = accuracies.map((value) => value.toFixed(1)).join(" ");
      console.log(
        `| ${basename(root)} | ${count} | ${views} | ${show(accuracies)}${change} | ${mean(losses).toFixed(3)} | ${each} |`,
      );
    }
  }
}

/** The same images for every seed: those of each class whose hashes come first. */
function fewOf(samples, count) {
  const train = samples.filter(({ split }) => split === "train").sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
  const kept = new Set();
  const used = new Map();
  for (const sample of train) {
    const [label] = sample.target;
    if ((used.get(label) ?? 0) >= count) continue;
    used.set(label, (used.get(label) ?? 0) + 1);
    kept.add(sample);
  }
  return samples.filter((sample) => sample.split !== "train" || kept.has(sample));
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** "86.1 ± 0.8": the mean and half of its 95 % interval, by Student's distribution. */
function show(values) {
  const center = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1);
  return `${center.toFixed(1)} ± ${(STUDENT[values.length - 1] * Math.sqrt(variance / values.length)).toFixed(1)}`;
}
