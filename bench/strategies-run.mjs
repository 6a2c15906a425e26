/**
 * One recipe in Rootstock, from a model file and a folder of images to a measured network, as a user would run it. The
 * result is one line of JSON. bench/strategies.mjs calls this in a process of its own; see bench/README.md.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { evaluateModel, fineTune, imageFolder, loadModel } from "../dist/index.js";

const { values: options } = parseArgs({
  options: {
    work: { type: "string" },
    plan: { type: "string" },
    cache: { type: "string" },
    threads: { type: "string" },
    spawned: { type: "string" },
  },
});
const startup = (Date.now() - Number(options.spawned)) / 1000;
const plan = JSON.parse(readFileSync(join(options.work, options.plan), "utf8"));
const used = new Set([...plan.data.train.files, ...plan.data.validation.files]);
const threads = Number(options.threads);

const began = performance.now();
const since = () => (performance.now() - began) / 1000;
const base = await loadModel(plan.model);
const all = await imageFolder(plan.data.root);
const data = { ...all, samples: all.samples.filter(({ file }) => used.has(file)) };
let featuresDone;
let [loopStart, loopEnd] = [undefined, undefined];
const clock = {
  name: "clock",
  onPhaseStart: () => {
    loopStart = since();
  },
  onPhaseEnd: () => {
    loopEnd = since();
  },
};
const run = await fineTune(base, data, {
  ...plan.options,
  seed: plan.seed,
  check: false,
  threads,
  cacheFolder: options.cache, // empty: a first run
  callbacks: [clock],
  onProgress: ({ kind }) => {
    if (kind === "features") featuresDone = since();
  },
});
const total = since();

// What follows is not counted: which validation images are right, in the order of the peer.
const order = new Map(plan.data.validation.files.map((file, i) => [file, i]));
const held = data.samples
  .filter(({ split }) => split === "validation")
  .sort((a, b) => order.get(a.file) - order.get(b.file));
const { results } = await evaluateModel(run.model, data, held, { threads });
const width = data.classes.length;
const rows = held.map((_, i) => results.logits.subarray(i * width, (i + 1) * width));
const losses = rows.map((row, i) => {
  const sum = row.reduce((total, value) => total + Math.exp(value), 0); // logarithms of probabilities
  return Math.log(sum) - row[results.labels[i]];
});
const correct = rows.map((row, i) => Number(row.indexOf(Math.max(...row)) === results.labels[i]));
const seconds = {
  startup,
  prepare: loopStart ?? featuresDone,
  training: loopStart === undefined ? total - featuresDone : loopEnd - loopStart,
  total,
};
const history = run.history.map(({ trainLoss, learningRate, steps, validation }) => ({
  trainLoss,
  learningRate,
  steps,
  loss: validation.loss,
  accuracy: validation.accuracy,
}));
const { accuracy, loss } = run.metrics;
console.log(JSON.stringify({ history, bestEpoch: run.bestEpoch, accuracy, loss, losses, correct, seconds }));
