/**
 * Trains with the built package and prints, for every 20th epoch, what the process takes in memory.
 *
 *     node memory-run.mjs MODEL IMAGES EPOCHS OUT OPTIONS
 *
 * OPTIONS are those of `fineTune` in JSON.
 */
import { fineTune, imageFolder, loadModel } from "../../dist/index.js";

const [file, images, epochs, out, options = "{}"] = process.argv.slice(2);
const model = await loadModel(file);
const data = await imageFolder(images);
const megabytes = [];
const watch = {
  name: "memory",
  onEpochEnd: ({ epoch }) => {
    if (epoch % 20 === 0) megabytes.push(process.memoryUsage.rss() / 1e6);
  },
};
const count = Number(epochs);
const given = { check: false, cache: false, epochs: count, patience: count, out, callbacks: [watch] };
await fineTune(model, data, { ...given, ...JSON.parse(options) });
process.stdout.write(`${JSON.stringify(megabytes.map(Math.round))}\n`);
