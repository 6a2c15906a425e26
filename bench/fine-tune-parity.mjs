/**
 * Fine-tunes SqueezeNet 1.1 with the same recipe in Rootstock and in PyTorch, and compares the curves epoch by epoch.
 * The head that training starts from, the preprocessed pixels and the order of the batches are Rootstock's; everything
 * after that is computed twice. See bench/README.md.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { imageFolder, loadModel } from "../dist/index.js";
import { findCut } from "../dist/models/backbone.js";
import { rng, shuffle } from "../dist/random.js";
import { featureRows, networkRows } from "../dist/train/data-rows.js";
import { recipe } from "../dist/train/recipe.js";
import { measureHeadScale, trainHead } from "../dist/train/train-head.js";
import { trainNetwork } from "../dist/train/train-network.js";
import { trainingBackbone, unfreezeNetwork } from "../dist/train/unfreeze-network.js";

const { values: options } = parseArgs({
  options: {
    assets: { type: "string" },
    python: { type: "string", default: "python3" },
    seeds: { type: "string", default: "0,1,2" },
    unfreeze: { type: "string", default: "last,all" },
    epochs: { type: "string", default: "4" },
    threads: { type: "string", default: "2" },
    twice: { type: "boolean", default: false },
  },
});
if (!options.assets) {
  console.error("Usage: node bench/fine-tune-parity.mjs --assets <folder> [--python <python>]");
  process.exit(2);
}
const folder = join(options.assets, "models/squeezenet1_1");
const peer = fileURLToPath(new URL("peers/fine_tune.py", import.meta.url));
const threads = Number(options.threads);
const work = mkdtempSync(join(tmpdir(), "rootstock-parity-"));

try {
  const base = await loadModel(join(folder, "squeezenet1_1.onnx"));
  const data = await imageFolder(join(options.assets, "datasets/flowers"));
  const { train } = await pixels(base, data);
  const summary = [];
  for (const spec of options.unfreeze.split(",")) {
    for (const seed of options.seeds.split(",").map(Number)) {
      const plan = recipe({ unfreeze: spec, seed, epochs: Number(options.epochs) }, train);
      const own = await rootstock(base, data, plan);
      const torch = python(["--channels-last"]); // the faster layout
      const again = options.twice ? python([]) : undefined;
      report(plan, own, torch);
      summary.push({ plan, own, torch, again });
    }
  }
  conclude(summary);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Writes the pixels and labels of every image, training images first. */
async function pixels(base, data) {
  const rows = await networkRows(undefined, data, rowOptions(base));
  const [train, validation] = [rows.split("train"), rows.split("validation")];
  const parts = [];
  for (const { rows: own } of [train, validation])
    for await (const batch of own.batches(
      Int32Array.from({ length: own.count }, (_, i) => i),
      32,
    ))
      parts.push(Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength));
  await rows[Symbol.asyncDispose]();
  writeFileSync(join(work, "pixels.f32"), Buffer.concat(parts));
  writeFileSync(join(work, "labels.i32"), Int32Array.from([...train.targets.values, ...validation.targets.values]));
  console.log(`${data.classes.length} classes, ${train.rows.count} + ${validation.rows.count} images\n`);
  return { train: train.rows.count };
}

/** Trains the head and then the network, as fineTune does, and writes what PyTorch starts from. */
async function rootstock(base, data, plan) {
  const backbone = trainingBackbone({ base, cut: findCut(base.graph) });
  const network = unfreezeNetwork(backbone, { unfreeze: plan.phases[0], batchNorm: plan.batchNorm });
  const features = await featureRows(backbone, data, rowOptions(base));
  const rows = await networkRows(network.prefix, data, rowOptions(base));
  const phase = { train: rows.split("train"), validation: rows.split("validation"), classes: data.classes };
  const count = phase.train.rows.count;
  const [train, validation] = [features.split("train"), features.split("validation")];
  const scale = measureHeadScale(train);
  const head = await trainHead({
    train,
    validation,
    scale,
    classes: data.classes,
    recipe: recipe({ seed: plan.seed }, count),
    callbacks: [],
  });
  const { epochs, batchSize, learningRate, weightDecay, seed } = plan;
  const values = { mean: scale.features.mean, deviation: scale.features.deviation };
  for (const [name, { data: numbers }] of head.parameters) values[name] = numbers;
  for (const [name, numbers] of Object.entries(values)) writeFileSync(join(work, `${name}.f32`), numbers);
  const order = new Int32Array(epochs * count);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const source = rng(seed)
      .fork("order")
      .fork(`epoch ${epoch + 1}`);
    const own = Int32Array.from({ length: count }, (_, i) => i);
    order.set(shuffle(own, source), epoch * count);
  }
  writeFileSync(join(work, "order.i32"), order);
  const about = {
    parameters: [...network.trainable.parameters.keys()],
    classes: data.classes.length,
    inputSize: base.requirePreprocessing().inputSize,
    train: count,
    ...{ epochs, batchSize, learningRate, weightDecay },
  };
  writeFileSync(join(work, "run.json"), JSON.stringify(about));
  const began = performance.now();
  const result = await trainNetwork({
    ...phase,
    phase: plan.phases[0],
    suffix: network.trainable,
    head: head.parameters,
    scale,
    recipe: plan,
    callbacks: [],
    session: { threads },
  });
  await rows[Symbol.asyncDispose]();
  const start = head.history[head.bestEpoch - 1].validation;
  const history = result.history.map(({ trainLoss, validation }) => ({ trainLoss, ...validation }));
  return { history: [start, ...history], seconds: (performance.now() - began) / 1000 };
}

function rowOptions(base) {
  return {
    name: base.name,
    preprocessing: base.requirePreprocessing(),
    cache: false,
    threads,
    clock: Date.now,
  };
}

function python(flags) {
  const args = [
    peer,
    "--work",
    work,
    "--weights",
    join(folder, "squeezenet1_1.safetensors"),
    "--threads",
    `${threads}`,
  ];
  const { status, stdout, stderr, error } = spawnSync(options.python, [...args, ...flags], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${options.python} ${args.join(" ")} failed: ${error ?? stderr}`);
  return JSON.parse(stdout);
}

function report({ phases: [unfreeze], seed }, own, torch) {
  const times = `${own.seconds.toFixed(1)} s and ${torch.seconds.toFixed(1)} s`;
  console.log(`unfreeze ${unfreeze}, seed ${seed}: Rootstock and PyTorch (${times})`);
  for (const [epoch, ours] of own.history.entries()) {
    const theirs = torch.history[epoch];
    const pair = (key, digits) =>
      ours[key] === undefined ? "" : `${ours[key].toFixed(digits)} ${theirs[key].toFixed(digits)}`;
    const cells = [pair("trainLoss", 6).padEnd(17), pair("loss", 6), pair("accuracy", 4)];
    console.log(`  epoch ${epoch}  training loss ${cells[0]}  validation loss ${cells[1]}  accuracy ${cells[2]}`);
  }
  console.log("");
}

/** Largest relative difference of two curves over all epochs. */
function difference(a, b, key) {
  const differences = a.history.flatMap((ours, epoch) =>
    ours[key] === undefined ? [] : [Math.abs(ours[key] / b.history[epoch][key] - 1)],
  );
  return `${(100 * Math.max(...differences)).toFixed(3)} %`;
}

function conclude(summary) {
  const second = options.twice ? " PyTorch with itself, as NCHW: training, validation |" : "";
  console.log(
    `| unfreeze | seed | training loss differs by | validation loss differs by |${second} final accuracy: Rootstock, PyTorch |`,
  );
  console.log(`|---|--:|--:|--:|${options.twice ? "--:|" : ""}--:|`);
  for (const { plan, own, torch, again } of summary) {
    const twice = again ? ` ${difference(again, torch, "trainLoss")}, ${difference(again, torch, "loss")} |` : "";
    const [ours, theirs] = [own, torch].map(({ history }) => `${(100 * history.at(-1).accuracy).toFixed(1)} %`);
    const cells = [plan.phases[0], plan.seed, difference(own, torch, "trainLoss"), difference(own, torch, "loss")];
    console.log(`| ${cells.join(" | ")} |${twice} ${ours}, ${theirs} |`);
  }
}
