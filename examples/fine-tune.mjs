/**
 * Fine-tunes a pretrained ONNX model on a folder of images with one subfolder per class, then classifies an image.
 *
 *   node examples/fine-tune.mjs <folder of images> <pretrained.onnx> [folder for the run]
 *
 * It prints the accuracy on held-out images with its 95 % interval, where the exported model is, and one prediction.
 * The second run on the same images takes its features from the cache and is done in about a second.
 */
import { fineTune, imageFolder, loadModel } from "rootstock";

const [photos, pretrained, out = "runs/example"] = process.argv.slice(2);
if (photos === undefined || pretrained === undefined) {
  console.error("Usage: node examples/fine-tune.mjs <folder of images> <pretrained.onnx> [folder for the run]");
  process.exit(2);
}

const data = await imageFolder(photos, { seed: 7 }); // holds out a fifth, unless there is a val/ or test/ folder
const model = await loadModel(pretrained);
const run = await fineTune(model, data, { out, seed: 7 });

const { accuracy, accuracyInterval } = run.metrics;
const [low, high] = accuracyInterval.map(percent);
console.log(`classes   ${run.classes.join(", ")}`);
console.log(`accuracy  ${percent(accuracy)} on ${run.evaluatedOn} images (95 % interval ${low} to ${high})`);
console.log(`model     ${run.folder}/model.onnx`);

const { file } = data.samples.find(({ split }) => split === run.evaluatedOn);
const [best] = await run.model.predict(file);
console.log(`example   ${file} → ${best.label} (${percent(best.probability)})`);
await run.model.release();

/** @param {number} fraction */
function percent(fraction) {
  return `${(fraction * 100).toFixed(1)} %`;
}
