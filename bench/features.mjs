/**
 * Measures Rootstock: one measurement per process, its result as one line of JSON. bench/run.mjs calls it; see README.md.
 *
 *   prepare  writes what the peer needs: weights, inputs, features, and Rootstock's own outputs to compare with
 *   extract  folder of JPEG files → features, from nothing: hashing, decoding, resizing, network, cache files
 *   forward  the frozen network alone, batch by batch, on pixels that are in memory
 *   head     a new head on features that are in memory: epochs of AdamW with a look at the validation set after each
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { labelsOf } from "../dist/data/sample.js";
import { extractFeatures } from "../dist/features/extract.js";
import { imageFolder, loadModel } from "../dist/index.js";
import { classTargets } from "../dist/losses/targets.js";
import { backboneGraph, findCut } from "../dist/models/backbone.js";
import { rng } from "../dist/random.js";
import { runtimeVersion, Session } from "../dist/runtime/session.js";
import { float32 } from "../dist/tensor/tensor.js";
import { recipe } from "../dist/train/recipe.js";
import { measureHeadScale, trainHead } from "../dist/train/train-head.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    images: { type: "string" },
    work: { type: "string" },
    threads: { type: "string", default: "2" },
    batch: { type: "string", default: "16" },
    runs: { type: "string", default: "20" },
    name: { type: "string" },
  },
});
const threads = Number(options.threads);
const commands = { prepare, extract, forward, head };
console.log(JSON.stringify(await commands[positionals[0]]()));

async function extract() {
  const cacheFolder = mkdtempSync(join(tmpdir(), "rootstock-bench-"));
  try {
    const start = performance.now();
    const { features } = await featuresOf(cacheFolder);
    const seconds = (performance.now() - start) / 1000;
    return { seconds, images: features.samples.length };
  } finally {
    rmSync(cacheFolder, { recursive: true, force: true });
  }
}

async function forward() {
  const { backbone, input } = await network();
  const session = await Session.create(backbone, { threads });
  const batch = Number(options.batch);
  const runs = Number(options.runs);
  const feeds = { [input]: waves(batch) };
  for (let i = 0; i < 3; i++) await session.run(feeds);
  const start = performance.now();
  for (let i = 0; i < runs; i++) await session.run(feeds);
  const seconds = (performance.now() - start) / 1000;
  await session.release();
  return { seconds, images: batch * runs };
}

async function head() {
  const { classes, epochs, train, validation, width } = JSON.parse(readFileSync(work(".json"), "utf8"));
  const floats = new Float32Array(bytesOf(work(".f32")));
  const labels = new Int32Array(bytesOf(work(".i32")));
  const part = (from, count) => ({
    features: floats.subarray(from * width, (from + count) * width),
    targets: classTargets(labels.subarray(from, from + count)),
  });
  const plan = recipe({ epochs, batchSize: 32, optimizer: "adamw", patience: epochs }, train);
  const start = performance.now();
  const training = part(0, train);
  const { history } = await trainHead({
    train: training,
    scale: measureHeadScale(training),
    validation: part(train, validation),
    classes,
    recipe: plan,
    callbacks: [],
  });
  const seconds = (performance.now() - start) / 1000;
  const { steps, validation: measures } = history.at(-1);
  return { seconds, steps, loss: measures.loss, accuracy: measures.accuracy };
}

async function prepare() {
  const { backbone, input } = await network();
  writeSafetensors(work(".safetensors"), backbone.initializers);
  const session = await Session.create(backbone, { threads });
  const [output] = Object.values(await session.run({ [input]: waves(2) }));
  await session.release();
  writeFileSync(work(".waves.f32"), output.data);
  const { features, data } = await featuresOf(undefined);
  const width = features.features.length / features.samples.length;
  writeFileSync(work(".photos.f32"), features.features);
  writeFileSync(work(".photos.json"), JSON.stringify(features.samples.map(({ file }) => file)));
  // Head on these features: training rows first.
  const rows = features.samples.map((sample, i) => ({ sample, i }));
  const train = rows.filter(({ sample }) => sample.split === "train");
  const validation = rows.filter(({ sample }) => sample.split !== "train");
  const ordered = new Float32Array(features.features.length);
  for (const [to, { i }] of [...train, ...validation].entries()) {
    ordered.set(features.features.subarray(i * width, (i + 1) * width), to * width);
  }
  writeHead(`${options.name}-photos`, {
    classes: data.classes,
    epochs: 50,
    train: train.length,
    width,
    features: ordered,
    labels: labelsOf([...train, ...validation].map(({ sample }) => sample)),
  });
  writeHead("clusters", clusters());
  return { onnxruntime: runtimeVersion(), node: process.version };
}

/** 6000 points around ten centers, 5000 of them for training: a head's problem of a larger dataset. */
function clusters() {
  const [count, width, classes] = [6000, 1280, 10];
  const random = rng("clusters");
  const centers = Float32Array.from({ length: classes * width }, () => random.normal());
  const labels = Int32Array.from({ length: count }, () => Math.floor(random.next() * classes));
  const features = Float32Array.from(
    { length: count * width },
    (_, i) => centers[labels[Math.floor(i / width)] * width + (i % width)] + 12 * random.normal(),
  );
  return {
    classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
    epochs: 10,
    train: 5000,
    width,
    features,
    labels,
  };
}

function writeHead(name, { classes, epochs, train, width, features, labels }) {
  const about = { classes, epochs, train, validation: labels.length - train, width };
  writeFileSync(join(options.work, `${name}.json`), JSON.stringify(about));
  writeFileSync(join(options.work, `${name}.f32`), features);
  writeFileSync(join(options.work, `${name}.i32`), labels);
}

async function network() {
  const model = await loadModel(options.model);
  return { model, backbone: backboneGraph(model.graph, findCut(model.graph)), input: model.input.name };
}

async function featuresOf(cacheFolder) {
  const data = await imageFolder(options.images);
  const { model, backbone } = await network();
  const features = await extractFeatures(backbone, data.samples, {
    name: model.name,
    preprocessing: model.requirePreprocessing(),
    cache: cacheFolder !== undefined,
    cacheFolder,
    threads,
    clock: Date.now,
  });
  return { features, data };
}

/** The input that both sides compute: x[i] = sin(0.001 i), [batch, 3, 224, 224]. */
function waves(batch) {
  const shape = [batch, 3, 224, 224];
  const size = shape.reduce((a, b) => a * b);
  return float32(
    shape,
    Float32Array.from({ length: size }, (_, i) => Math.sin(0.001 * i)),
  );
}

/** The weights in the safetensors format: length of the header, header, data. */
function writeSafetensors(path, tensors) {
  const header = {};
  const chunks = [];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    if (dtype !== "float32") continue;
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, ...chunks]));
}

function work(extension) {
  return join(options.work, `${options.name}${extension}`);
}

function bytesOf(path) {
  const bytes = readFileSync(path);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}
