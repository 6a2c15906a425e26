/**
 * Classifies one image with an exported model, without Rootstock: any ONNX runtime will do.
 *
 *   node examples/run-exported-model.mjs <folder of the run, or the model.onnx in it> <image>
 *
 * The labels and the preprocessing are inside model.onnx too, as metadata; Python reads them with
 * `session.get_modelmeta().custom_metadata_map`. onnxruntime-node does not show a file's metadata, so this program takes
 * them from the JSON files of the run. It covers models of RGB images in NCHW with one class per image.
 * Its resize is sharp's, not Pillow's as in training: probabilities differ a little from `rootstock predict`.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";

const [run, image] = process.argv.slice(2);
if (run === undefined || image === undefined)
  end("Usage: node examples/run-exported-model.mjs <folder of the run, or the model.onnx in it> <image>");
const folder = run.endsWith(".onnx") ? dirname(run) : run;
for (const name of ["model.onnx", "result.json", "config.json"])
  if (!existsSync(`${folder}/${name}`)) end(`A complete run is required, got ${folder}, which has no ${name}.`);
if (!existsSync(image)) end(`There is no image at ${image}.`);

const { classes } = JSON.parse(readFileSync(`${folder}/result.json`, "utf8"));
const { preprocessing } = JSON.parse(readFileSync(`${folder}/config.json`, "utf8"));
const { inputSize, resize, channels, layout, scale, offset, mean, std } = preprocessing;
const session = await InferenceSession.create(`${folder}/model.onnx`);
if (channels !== "RGB" || layout !== "NCHW" || !session.outputNames.includes("probabilities"))
  end(`This example is for classes of RGB images in NCHW, got ${channels} in ${layout} to ${session.outputNames}.`);

const [height, width] = inputSize;
const [tall, wide] = resize.kind === "shortest-edge" ? [resize.size, resize.size] : inputSize;
const crop = { left: (wide - width) >> 1, top: (tall - height) >> 1, width, height };
const fit = resize.kind === "stretch" ? "fill" : "cover"; // cover keeps the middle of the longer side
const upright = sharp(image).autoOrient().flatten({ background: "#ffffff" }).toColourspace("srgb");
const pixels = await upright.resize(wide, tall, { kernel: "linear", fit }).extract(crop).raw().toBuffer();
const values = Float32Array.from({ length: 3 * height * width }, (_, i) => {
  const [channel, pixel] = [Math.floor(i / (height * width)), i % (height * width)];
  return (pixels[3 * pixel + channel] * scale + offset - mean[channel]) / std[channel];
});

const input = new Tensor("float32", values, [1, 3, height, width]);
const { probabilities } = await session.run({ [session.inputNames[0]]: input });
const best = probabilities.data.indexOf(Math.max(...probabilities.data));
console.log(`${classes[best]} ${probabilities.data[best].toFixed(3)}`);

/** @param {string} message */
function end(message) {
  console.error(message);
  process.exit(2);
}
