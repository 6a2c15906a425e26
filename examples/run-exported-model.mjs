/**
 * Classifies one image with an exported model, without Rootstock: any ONNX runtime will do.
 *
 *   node examples/run-exported-model.mjs <folder of the run> <image>
 *
 * The labels and the preprocessing are inside model.onnx too, as metadata; Python reads them with
 * `session.get_modelmeta().custom_metadata_map`. onnxruntime-node does not show a file's metadata, so this program takes
 * them from the JSON files of the run. It covers the usual preprocessing: RGB, shorter side to a size, center crop.
 * Its resize is sharp's, not Pillow's as in training: probabilities differ a little from `rootstock predict`.
 */
import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";

const [folder, image] = process.argv.slice(2);
if (image === undefined) {
  console.error("Usage: node examples/run-exported-model.mjs <folder of the run> <image>");
  process.exit(2);
}
const { classes } = JSON.parse(readFileSync(`${folder}/result.json`, "utf8"));
const { inputSize, resize, channels, layout, scale, offset, mean, std } = JSON.parse(
  readFileSync(`${folder}/config.json`, "utf8"),
).preprocessing;
if (`${resize.kind} ${channels} ${layout}` !== "shortest-edge RGB NCHW")
  throw new Error("This preprocessing is not covered.");

const [height, width] = inputSize;
const pixels = await sharp(image)
  .autoOrient()
  .flatten({ background: "#ffffff" })
  .toColourspace("srgb")
  .resize(resize.size, resize.size, { fit: "cover", kernel: "linear" })
  .extract({ left: (resize.size - width) >> 1, top: (resize.size - height) >> 1, width, height })
  .raw()
  .toBuffer();

const input = new Float32Array(3 * height * width); // [1, 3, height, width]
for (let i = 0; i < input.length; i++) {
  const channel = Math.floor(i / (height * width));
  const pixel = pixels[(i % (height * width)) * 3 + channel];
  input[i] = (pixel * scale + offset - mean[channel]) / std[channel];
}

const session = await InferenceSession.create(`${folder}/model.onnx`);
const results = await session.run({ [session.inputNames[0]]: new Tensor("float32", input, [1, 3, height, width]) });
const probabilities = Array.from(results[session.outputNames[0]].data);
const best = probabilities.indexOf(Math.max(...probabilities));
console.log(`${classes[best]} ${probabilities[best].toFixed(3)}`);
