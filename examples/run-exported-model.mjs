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
const { classes } = JSON.parse(readFileSync(`${folder}/result.json`, "utf8"));
const { inputSize, resize, scale, offset, mean, std } = JSON.parse(
  readFileSync(`${folder}/config.json`, "utf8"),
).preprocessing;

const [height, width] = inputSize;
const crop = { left: (resize.size - width) >> 1, top: (resize.size - height) >> 1, width, height };
const upright = sharp(image).autoOrient().flatten({ background: "#ffffff" }).toColourspace("srgb");
const pixels = await upright.resize(resize.size, resize.size, { kernel: "linear" }).extract(crop).raw().toBuffer();
const values = Float32Array.from({ length: 3 * height * width }, (_, i) => {
  const [channel, pixel] = [Math.floor(i / (height * width)), i % (height * width)];
  return (pixels[3 * pixel + channel] * scale + offset - mean[channel]) / std[channel];
});

const session = await InferenceSession.create(`${folder}/model.onnx`);
const input = new Tensor("float32", values, [1, 3, height, width]);
const { probabilities } = await session.run({ [session.inputNames[0]]: input });
const best = probabilities.data.indexOf(Math.max(...probabilities.data));
console.log(`${classes[best]} ${probabilities.data[best].toFixed(3)}`);
